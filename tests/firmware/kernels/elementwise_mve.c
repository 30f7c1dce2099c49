/* elementwise_mve.c: addition, multiplication, tables and softmax for Helium against the portable kernels on the core
 * itself, and the instructions of such layers, the portable kernel's beside them. */
#include "elementwise_cases.h"

static void measure(const char *name, tml_kernel portable, tml_kernel variant, const void *params) {
  test_measure("portable", portable, params, element_operands);
  test_measure(name, variant, params, element_operands);
}

static void measure_binary(const char *name, uint32_t h, uint32_t w, uint32_t c, uint32_t broadcast, uint32_t is_mul) {
  layer_binary(h, w, c, broadcast, is_mul);
  measure(name, is_mul ? tml_mul_s8 : tml_add_s8, is_mul ? tml_mul_s8_mve : tml_add_s8_mve, &binary);
}

static void measure_softmax(const char *name, uint32_t depth) {
  layer_softmax(depth);
  measure(name, tml_softmax_s8, tml_softmax_s8_mve, &softmax);
}

int main(void) {
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) {
    check_binary(tml_add_s8, tml_add_s8_mve, -1, i);
    check_binary(tml_mul_s8, tml_mul_s8_mve, 14, i);
    check_lut(tml_lut_s8, tml_lut_s8_mve, i);
    check_softmax(tml_softmax_s8, tml_softmax_s8_mve, 1, i);
  }
  measure_binary("ic01_3 add of 32x32x16", 32, 32, 16, BINARY_SAME, 0);
  measure_binary("ic01_7 add of 16x16x32", 16, 16, 32, BINARY_SAME, 0);
  measure_binary("ic01_11 add of 8x8x64", 8, 8, 64, BINARY_SAME, 0);
  measure_binary("add of 14x14x96 and 96", 14, 14, 96, BINARY_PER_CHANNEL, 0);
  measure_binary("add of 14x14x96 and 14x14x1", 14, 14, 96, BINARY_PER_PIXEL, 0);
  measure_binary("mul of 14x14x96 and 14x14x96", 14, 14, 96, BINARY_SAME, 1);
  measure_binary("mul of 28x28x16 and 16", 28, 28, 16, BINARY_PER_CHANNEL, 1);
  measure_binary("mul of 14x14x96 and 96", 14, 14, 96, BINARY_PER_CHANNEL, 1);
  measure_binary("mul of 7x7x575 and 575", 7, 7, 575, BINARY_PER_CHANNEL, 1);
  measure_binary("mul of 14x14x96 and 14x14x1", 14, 14, 96, BINARY_PER_PIXEL, 1);
  shape_lut(28 * 28 * 16);
  measure("table of 28x28x16", tml_lut_s8, tml_lut_s8_mve, &lut);
  measure_softmax("softmax of 10", 10);
  measure_softmax("softmax of 100", 100);
  measure_softmax("softmax of 1000", 1000);
  return test_report();
}
