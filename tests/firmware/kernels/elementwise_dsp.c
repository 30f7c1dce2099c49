/* elementwise_dsp.c: add, mul, lut and softmax for the DSP extension against the portable kernels, on the target: any
 * broadcasting of a row, odd sizes, unaligned addresses, in place, extremes. */
#include "kernel_test.h"

static tml_binary_params p;
static tml_softmax_params softmax;
static uint32_t exp_table[256];
static int8_t table[256];
static uint32_t operands[3];

/* Kinds of operand: all elements, one per column, one per row, one. */
enum { FULL, COLUMN, ROW, ONE };

static uint32_t strides(uint32_t *to, uint32_t rows, uint32_t n, int32_t kind) {
  to[3] = kind == FULL || kind == ROW ? (kind == ROW ? rows : rows * n) : 0;
  to[4] = kind == FULL ? n : kind == ROW ? 1 : 0;
  to[5] = kind == FULL || kind == COLUMN ? 1 : 0;
  return kind == FULL ? 2 * rows * n : kind == COLUMN ? n : kind == ROW ? 2 * rows : 1;
}

/* Two outer rows of rows x n; returns the bytes of both operands. */
static void set_binary(uint32_t rows, uint32_t n, int32_t a_kind, int32_t b_kind, uint32_t *bytes) {
  uint32_t i;
  memset(&p, 0, sizeof p);
  for (i = 0; i < TML_MAX_DIMS; ++i) p.dims[i] = 1;
  p.dims[3] = 2, p.dims[4] = rows, p.dims[5] = n;
  bytes[0] = strides(p.a_strides, rows, n, a_kind);
  bytes[1] = strides(p.b_strides, rows, n, b_kind);
  p.a_zero = test_zero(), p.b_zero = test_zero(), p.out_zero = test_zero();
  test_clamp(&p.clamp_min, &p.clamp_max);
}

static void set_add_factors(void) {
  const int32_t most = test_chance(20) ? 1 << 21 : 1 << test_between(10, 21);
  p.a_multiplier = test_chance(10) ? most : test_between(-most, most);
  p.b_multiplier = test_chance(10) ? -most : test_between(-most, most);
  do {
    p.shift = (uint8_t)test_between(16, 23);
  } while (255ll * (2ll * most) + ((2ll * (p.out_zero + 128) + 1) << (p.shift - 1)) > INT32_MAX);
}

static void compare_binary(tml_kernel portable, tml_kernel variant, const uint32_t *bytes, int32_t place,
                           const char *what, int32_t number) {
  const uint32_t count = p.dims[3] * p.dims[4] * p.dims[5];
  uint32_t reference[3], skew[2];
  test_reset();
  skew[0] = (uint32_t)test_between(0, 3), skew[1] = (uint32_t)test_between(0, 3);
  operands[0] = reference[0] = test_block(bytes[0] + skew[0]) + skew[0];
  operands[1] = reference[1] = test_block(bytes[1] + skew[1]) + skew[1];
  reference[2] = test_block(count);
  operands[2] =
      place < 2 && bytes[place] == count ? operands[place] : test_block(count + 3) + (uint32_t)test_between(0, 3);
  test_bytes(test_at(operands[0]), bytes[0], -128, 127);
  test_bytes(test_at(operands[1]), bytes[1], -128, 127);
  test_run(portable, &p, reference);
  test_run(variant, &p, operands);
  test_expect(!memcmp(test_at(operands[2]), test_at(reference[2]), count) && test_guards_intact(), what, number);
}

static void compare_unary(tml_kernel portable, tml_kernel variant, const void *params, uint32_t count, const char *what,
                          int32_t number) {
  const uint32_t skew = (uint32_t)test_between(0, 3);
  uint32_t reference[2];
  test_reset();
  operands[0] = reference[0] = test_block(count + skew) + skew;
  reference[1] = test_block(count);
  operands[1] = test_chance(50) ? operands[0] : test_block(count + 3) + (uint32_t)test_between(0, 3);
  test_bytes(test_at(operands[0]), count, test_chance(30) ? 120 : -128, 127);
  test_run(portable, params, reference);
  test_run(variant, params, operands);
  test_expect(!memcmp(test_at(operands[1]), test_at(reference[1]), count) && test_guards_intact(), what, number);
}

static void set_softmax(uint32_t outer, uint32_t depth, uint32_t size) {
  uint32_t i, decay = (uint32_t)test_between(100, 65535);
  memset(&softmax, 0, sizeof softmax);
  softmax.exp_table = exp_table;
  softmax.outer = outer, softmax.depth = depth, softmax.inner = 1;
  softmax.table_size = size;
  exp_table[0] = 1u << 24;
  for (i = 1; i < size; ++i) exp_table[i] = (uint32_t)(((uint64_t)exp_table[i - 1] * decay) >> 16);
  if (size < 256) exp_table[size - 1] = 0;
  softmax.out_multiplier = test_chance(50) ? 1 << 24 : test_chance(50) ? INT32_MAX : test_between(1, INT32_MAX - 1);
  softmax.out_zero = test_zero();
  softmax.clamp_min = -128, softmax.clamp_max = 127;
}

static void run_case(int32_t i) {
  const int32_t kind = test_between(FULL, ONE), is_second = test_between(0, 1);
  const uint32_t rows = (uint32_t)test_between(1, 4), n = (uint32_t)test_between(1, 40),
                 count = (uint32_t)test_between(0, 100);
  const uint32_t size = test_chance(40) ? 256 : (uint32_t)test_between(2, 255);
  uint32_t bytes[2], k;
  set_binary(rows, n, is_second ? FULL : kind, is_second ? kind : FULL, bytes);
  set_add_factors();
  compare_binary(tml_add_s8, tml_add_s8_dsp, bytes, test_between(0, 2), "add", i);
  p.a_multiplier = test_chance(20)   ? INT32_MAX
                   : test_chance(50) ? test_between(0, 1 << 24)
                                     : test_between(0, INT32_MAX - 1);
  p.shift = 0;
  compare_binary(tml_mul_s8, tml_mul_s8_dsp, bytes, test_between(0, 2), "mul", i);
  for (k = 0; k < 256; ++k) table[k] = (int8_t)test_between(-128, 127);
  compare_unary(tml_lut_s8, tml_lut_s8_dsp, &(const tml_lut_params){table, count}, count, "lut", i);
  set_softmax((uint32_t)test_between(1, 3),
              test_chance(10) ? (uint32_t)test_between(256, 2000) : (uint32_t)test_between(4, 60), size);
  compare_unary(tml_softmax_s8, tml_softmax_s8_dsp, &softmax, softmax.outer * softmax.depth, "softmax", i);
}

static void measure(const char *name, tml_kernel portable, tml_kernel variant, const void *params, uint32_t bytes) {
  uint32_t i;
  test_reset();
  for (i = 0; i < 3; ++i) {
    operands[i] = test_block(bytes);
    test_bytes(test_at(operands[i]), bytes, -128, 127);
  }
  test_measure("portable", portable, params, operands);
  test_measure(name, variant, params, operands);
}

static void measure_binary(const char *name, tml_kernel portable, tml_kernel variant, uint32_t rows, uint32_t n,
                           int32_t b_kind) {
  uint32_t bytes[2];
  set_binary(rows, n, FULL, b_kind, bytes);
  p.dims[3] = 1;
  p.clamp_min = -128, p.clamp_max = 127;
  p.a_multiplier = 1 << 20, p.b_multiplier = 3 << 18, p.shift = 21;
  if (portable == tml_mul_s8) p.shift = 0;
  measure(name, portable, variant, &p, rows * n);
}

static void measure_add(const char *name, uint32_t pixels, uint32_t n, int32_t b_kind) {
  measure_binary(name, tml_add_s8, tml_add_s8_dsp, pixels, n, b_kind);
}

static void measure_mul(const char *name, uint32_t pixels, uint32_t n, int32_t b_kind) {
  measure_binary(name, tml_mul_s8, tml_mul_s8_dsp, pixels, n, b_kind);
}

static void measure_softmax(const char *name, uint32_t rows, uint32_t depth) {
  set_softmax(rows, depth, 256);
  softmax.out_multiplier = 1 << 24;
  measure(name, tml_softmax_s8, tml_softmax_s8_dsp, &softmax, rows * depth);
}

int main(void) {
  const tml_lut_params lut = {table, 28 * 28 * 16};
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) run_case(i);
  measure_mul("mul of 14x14x96 and 14x14x96", 196, 96, FULL);
  measure_mul("mul of 28x28x16 and 16", 784, 16, COLUMN);
  measure_mul("mul of 14x14x96 and 96", 196, 96, COLUMN);
  measure_mul("mul of 7x7x575 and 575", 49, 575, COLUMN);
  measure_mul("mul of 14x14x96 and 14x14x1", 196, 96, ROW);
  measure_add("add of 32x32x16", 1024, 16, FULL);
  measure_add("add of 14x14x96 and 96", 196, 96, COLUMN);
  measure_add("add of 14x14x96 and 14x14x1", 196, 96, ROW);
  measure("table of 28x28x16", tml_lut_s8, tml_lut_s8_dsp, &lut, lut.count);
  measure_softmax("softmax of 10", 1, 10);
  measure_softmax("softmax of 100", 1, 100);
  measure_softmax("softmax of 1000", 1, 1000);
  measure_softmax("softmax of 64 rows of 64", 64, 64);
  return test_report();
}
