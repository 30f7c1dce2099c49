/* elementwise_cases.h: random cases of addition, multiplication, tables and softmax for the variants of any core, each
 * against the portable kernel: odd sizes, unaligned operands, broadcasting either way, constants, in place.
 *
 * A family of tests calls `check_...` with its kernels, once per case, and `shape_...` before it measures one.
 */
#ifndef TINYML_TESTS_ELEMENTWISE_CASES_H
#define TINYML_TESTS_ELEMENTWISE_CASES_H

#include "kernel_test.h"

static tml_binary_params binary;
static tml_lut_params lut;
static tml_softmax_params softmax;
static uint32_t exp_table[256], element_operands[3];
static int8_t lut_table[256];

/* A block whose address is any. */
static uint32_t unaligned_block(uint32_t count) {
  const uint32_t skipped = (uint32_t)test_between(0, 3);
  const uint32_t block = test_block(count + skipped) + skipped;
  test_bytes(test_at(block), count, -128, 127);
  return block;
}

/* Dense strides of an operand over the dimensions of which it has more than one element; the number of elements. */
static uint32_t set_strides(uint32_t *strides, uint32_t broadcast) {
  uint32_t count = 1, i;
  for (i = TML_MAX_DIMS; i-- > 0;) {
    const uint32_t is_broadcast = broadcast >> i & 1u;
    strides[i] = is_broadcast ? 0 : count;
    if (!is_broadcast) count *= binary.dims[i];
  }
  return count;
}

typedef struct binary_sizes {
  uint32_t a, b, y;
} binary_sizes;

/* Bit i of a mask: dimension i of that operand is broadcast. */
static binary_sizes shape_binary(const uint32_t *dims, uint32_t a_broadcast, uint32_t b_broadcast) {
  binary_sizes sizes;
  uint32_t i;
  memset(&binary, 0, sizeof binary);
  for (i = 0; i < 3; ++i) {
    binary.dims[i] = 1;
    binary.dims[i + 3] = dims[i];
  }
  sizes.y = dims[0] * dims[1] * dims[2];
  sizes.a = set_strides(binary.a_strides, a_broadcast << 3);
  sizes.b = set_strides(binary.b_strides, b_broadcast << 3);
  binary.a_multiplier = 1 << 20, binary.b_multiplier = 1 << 20, binary.shift = 20;
  binary.clamp_min = -128, binary.clamp_max = 127;
  return sizes;
}

static void set_add(void) {
  binary.a_multiplier = test_between(-2097152, 2097152);
  binary.b_multiplier = test_between(-2097152, 2097152);
  binary.shift = (uint8_t)test_between(1, 30);
}

static void set_mul(int32_t most_shift) {
  binary.a_multiplier = (int32_t)(test_random() >> test_between(1, 14));
  binary.b_multiplier = 0;
  binary.shift = (uint8_t)(test_chance(60) ? 0 : test_between(1, most_shift));
}

/* most_shift: of a multiplication that the variant takes; -1 for an addition. */
static void check_binary(tml_kernel portable, tml_kernel variant, int32_t most_shift, int32_t number) {
  uint32_t operands[3], dims[3], masks[2], i;
  binary_sizes sizes;
  for (i = 0; i < 3; ++i) dims[i] = (uint32_t)(test_chance(20) ? 1 : test_between(1, i == 2 ? 40 : 5));
  masks[0] = test_chance(60) ? 0 : (uint32_t)test_between(0, 7);
  masks[1] = test_chance(30) ? 0 : (uint32_t)test_between(0, 7) & ~masks[0];
  i = test_chance(30);
  sizes = shape_binary(dims, masks[i], masks[1 - i]);
  if (most_shift < 0) {
    set_add();
  } else {
    set_mul(most_shift);
  }
  binary.a_zero = test_zero(), binary.b_zero = test_zero(), binary.out_zero = test_zero();
  test_clamp(&binary.clamp_min, &binary.clamp_max);
  test_reset();
  operands[0] = unaligned_block(sizes.a);
  operands[1] = unaligned_block(sizes.b);
  operands[2] = test_block(sizes.y);
  if (test_chance(10)) binary.a_const = test_at(operands[0]);
  if (test_chance(20)) binary.b_const = test_at(operands[1]);
  test_run(portable, &binary, operands);
  memcpy(element_operands, operands, sizeof operands);
  element_operands[2] = unaligned_block(sizes.y);
  if (test_chance(30) && sizes.a == sizes.y) element_operands[2] = operands[0];
  if (test_chance(30) && sizes.b == sizes.y) element_operands[2] = operands[1];
  test_run(variant, &binary, element_operands);
  test_expect(!memcmp(test_at(element_operands[2]), test_at(operands[2]), sizes.y) && test_guards_intact(),
              most_shift < 0 ? "add" : "mul", number);
}

static void shape_lut(uint32_t count) {
  test_bytes(lut_table, 256, -128, 127);
  lut.table = lut_table;
  lut.count = count;
  test_reset();
  element_operands[0] = unaligned_block(count);
  element_operands[1] = test_chance(50) ? element_operands[0] : unaligned_block(count);
}

static void check_lut(tml_kernel portable, tml_kernel variant, int32_t number) {
  const uint32_t count = (uint32_t)test_between(0, test_chance(10) ? 1000 : 70);
  uint32_t operands[2];
  shape_lut(count);
  operands[0] = element_operands[0];
  operands[1] = test_block(count);
  test_run(portable, &lut, operands);
  test_run(variant, &lut, element_operands);
  test_expect(!memcmp(test_at(element_operands[1]), test_at(operands[1]), count) && test_guards_intact(), "lut",
              number);
}

/* exp(-d * s) for the s that `ratio` / 2^16 = exp(-s) gives. */
static uint32_t shape_softmax(uint32_t outer, uint32_t depth, uint32_t inner, uint32_t ratio) {
  uint32_t i;
  memset(&softmax, 0, sizeof softmax);
  exp_table[0] = 1u << 24;
  for (i = 1; i < 256; ++i) exp_table[i] = (uint32_t)(((uint64_t)exp_table[i - 1] * ratio + 32768u) >> 16);
  softmax.exp_table = exp_table;
  softmax.outer = outer, softmax.depth = depth, softmax.inner = inner;
  softmax.table_size = 256;
  while (softmax.table_size > 1 && exp_table[softmax.table_size - 1] == 0) --softmax.table_size;
  softmax.out_multiplier = 1 << 24;
  softmax.out_zero = -128, softmax.clamp_min = -128, softmax.clamp_max = 127;
  return outer * depth * inner;
}

static void check_softmax(tml_kernel portable, tml_kernel variant, uint32_t most_inner, int32_t number) {
  const uint32_t depth = (uint32_t)test_between(1, test_chance(80) ? 40 : 400);
  const uint32_t flat = test_chance(20);
  const uint32_t count =
      shape_softmax((uint32_t)test_between(1, 3), depth, (uint32_t)test_between(1, (int32_t)most_inner),
                    (uint32_t)(flat ? 65536 - test_between(0, 100) : test_between(0, 65536)));
  uint32_t operands[2];
  if (test_chance(20)) softmax.table_size = (uint32_t)test_between(1, 256);
  if (test_chance(50)) softmax.out_multiplier = (int32_t)(test_random() >> test_between(1, 20));
  softmax.out_zero = test_zero();
  test_clamp(&softmax.clamp_min, &softmax.clamp_max);
  test_reset();
  operands[0] = unaligned_block(count);
  if (test_chance(10)) memset(test_at(operands[0]), 127, count);
  operands[1] = test_block(count);
  element_operands[0] = operands[0];
  element_operands[1] = test_chance(50) ? operands[0] : unaligned_block(count);
  test_run(portable, &softmax, operands);
  test_run(variant, &softmax, element_operands);
  test_expect(!memcmp(test_at(element_operands[1]), test_at(operands[1]), count) && test_guards_intact(), "softmax",
              number);
}

/* ---- measured layers ---- */

static void place_binary(binary_sizes sizes) {
  test_reset();
  element_operands[0] = element_operands[2] = test_block(sizes.y);
  element_operands[1] = test_block(sizes.b);
}

/* h x w x c times or plus a value per channel, per pixel, or of the same shape. */
enum { BINARY_SAME = 0, BINARY_PER_CHANNEL = 3, BINARY_PER_PIXEL = 4 };

static void layer_binary(uint32_t h, uint32_t w, uint32_t c, uint32_t broadcast, uint32_t is_mul) {
  uint32_t dims[3];
  dims[0] = h, dims[1] = w, dims[2] = c;
  place_binary(shape_binary(dims, 0, broadcast));
  if (is_mul) binary.a_multiplier = 1 << 24, binary.shift = 0;
}

static void layer_softmax(uint32_t depth) {
  const uint32_t count = shape_softmax(1, depth, 1, 62000);
  test_reset();
  element_operands[0] = element_operands[1] = unaligned_block(count);
}

#endif
