/* add_mve.c: tml_add_s8_mve against tml_add_s8 on the core itself, dense and broadcast, apart and in place, and the
 * instructions of the layers of ic01. See kernel_test.h. */
#include "kernel_test.h"

static tml_binary_params p;
static uint32_t operands[3];

static uint32_t set_case(uint32_t rows, uint32_t n, int broadcast) {
  uint32_t i;
  memset(&p, 0, sizeof p);
  for (i = 0; i < TML_MAX_DIMS; ++i) p.dims[i] = 1;
  p.dims[TML_MAX_DIMS - 2] = rows;
  p.dims[TML_MAX_DIMS - 1] = n;
  p.a_strides[TML_MAX_DIMS - 2] = p.b_strides[TML_MAX_DIMS - 2] = n;
  p.a_strides[TML_MAX_DIMS - 1] = p.b_strides[TML_MAX_DIMS - 1] = 1;
  if (broadcast == 1) p.b_strides[TML_MAX_DIMS - 1] = 0;
  if (broadcast == 2) p.b_strides[TML_MAX_DIMS - 2] = 0;
  p.a_multiplier = test_between(-2097152, 2097152);
  p.b_multiplier = test_between(-2097152, 2097152);
  p.shift = (uint8_t)test_between(1, 30);
  p.a_zero = test_zero(), p.b_zero = test_zero(), p.out_zero = test_zero();
  test_clamp(&p.clamp_min, &p.clamp_max);
  return rows * n;
}

static void run_case(uint32_t count, int in_place, int32_t number) {
  uint32_t portable[3];
  test_reset();
  operands[0] = portable[0] = test_block(count);
  operands[1] = portable[1] = test_block(count);
  portable[2] = test_block(count);
  operands[2] = in_place ? operands[0] : test_block(count);
  test_bytes(test_at(operands[0]), count, -128, 127);
  test_bytes(test_at(operands[1]), count, -128, 127);
  test_run(tml_add_s8, &p, portable);
  test_run(tml_add_s8_mve, &p, operands);
  test_expect(memcmp(test_at(operands[2]), test_at(portable[2]), count) == 0 && test_guards_intact(), "add", number);
}

int main(void) {
  static const char *const names[3] = {"ic01_3", "ic01_7", "ic01_11"};
  uint32_t count;
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) {
    count = set_case((uint32_t)test_between(1, 4), (uint32_t)test_between(1, 40), test_between(0, 2));
    run_case(count, test_chance(50), i);
  }
  for (i = 0; i < 3; ++i) {
    count = set_case(1, 16384u >> i, 0);
    run_case(count, 0, -1);
    test_measure(names[i], tml_add_s8_mve, &p, operands);
  }
  return test_report();
}
