/* conv_s16_mve.c: tml_conv2d_s16_mve and tml_depthwise_conv2d_s16_mve against the portable kernels on the core itself,
 * and the instructions of the layers of the small models. See kernel_test.h. */
#include "conv_s16_cases.h"

static uint32_t operands[2];

static tml_kernel variant_of(int is_depthwise) {
  return is_depthwise ? tml_depthwise_conv2d_s16_mve : tml_conv2d_s16_mve;
}

static void run_case(int is_depthwise, int32_t number) {
  const uint32_t bytes = 2u * portable.batches * portable.out_h * portable.out_w * portable.out_c;
  const uint32_t expected = test_block(bytes);
  const uint32_t portable_operands[2] = {x, expected};
  test_run(is_depthwise ? tml_depthwise_conv2d_s16 : tml_conv2d_s16, &portable, portable_operands);
  operands[0] = x;
  operands[1] = test_block(bytes);
  test_run(variant_of(is_depthwise), &portable, operands);
  test_expect(memcmp(test_at(operands[1]), test_at(expected), bytes) == 0 && test_guards_intact(),
              is_depthwise ? "depthwise case" : "conv2d case", number);
}

int main(void) {
  static const int32_t depths[8] = {1, 2, 3, 4, 5, 8, 16, 33};
  int32_t i;
  for (i = 0; i < 2 * TEST_CASES; ++i) {
    const axis h = random_axis(), w = random_axis();
    const int is_depthwise = test_chance(40);
    const int32_t channels = test_between(8, 21);
    if (!exists(&h) || !exists(&w)) continue;
    if (is_depthwise) {
      set_shape(&h, &w, channels, channels, channels);
    } else {
      set_shape(&h, &w, depths[test_between(0, 7)], test_between(4, 11), 1);
    }
    set_values(0);
    run_case(is_depthwise, i);
  }
  for (i = 0; i < (int32_t)(sizeof layers / sizeof layers[0]); ++i) {
    const layer *l = &layers[i];
    set_shape(&l->h, &l->w, l->in_c, l->out_c, l->depthwise ? l->in_c : 1);
    portable.batches = 1;
    set_values(1);
    run_case(l->depthwise, -1);
    test_measure(l->name, variant_of(l->depthwise), &portable, operands);
  }
  return test_report();
}
