/* conv_s16_mve.c: tml_conv2d_s16_mve and tml_depthwise_conv2d_s16_mve against the portable kernels on the core itself,
 * and the instructions of the layers of the small models. See kernel_test.h. */
#include "conv_s16_cases.h"

static uint32_t operands[3], stream[MAX_WEIGHTS / 4 + 16 * MAX_CHANNELS];
static tml_conv2d_s16_dsp_params packed;

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

/* As the record describes it. */
static void pack(void) {
  const tml_conv2d_s16_params *p = &portable;
  const uint32_t taps = (uint32_t)p->kernel_h * p->kernel_w * p->in_c;
  tml_conv2d_s16_dsp_params v = {0};
  uint32_t *to = stream;
  uint32_t c, k, i;
  for (c = 0; c < p->out_c; c += 4) {
    int8_t *bytes;
    for (i = 0; i < 4; ++i) *to++ = (uint32_t)bias[c + i];
    bytes = (int8_t *)to;
    for (k = 0; k < taps; k += 8) {
      for (i = 0; i < 32; ++i) *bytes++ = k + i % 8 < taps ? weights[(c + i / 8) * taps + k + i % 8] : 0;
    }
    to = (uint32_t *)(void *)bytes;
    for (i = 0; i < 4; ++i) *to++ = (uint32_t)multipliers[(c + i) * p->multiplier_step];
  }
  v.stream = stream;
  v.batches = p->batches;
  v.in_h = p->in_h, v.in_w = p->in_w, v.in_c = p->in_c;
  v.out_h = p->out_h, v.out_w = p->out_w, v.out_c = p->out_c;
  v.kernel_h = p->kernel_h, v.kernel_w = p->kernel_w;
  v.stride_h = p->stride_h, v.stride_w = p->stride_w;
  v.dilation_h = p->dilation_h, v.dilation_w = p->dilation_w;
  v.pad_top = p->pad_top, v.pad_left = p->pad_left;
  v.clamp_min = p->clamp_min, v.clamp_max = p->clamp_max;
  packed = v;
}

static void run_packed(int32_t number) {
  const uint32_t bytes = 2u * portable.batches * portable.out_h * portable.out_w * portable.out_c;
  const uint32_t k = ((uint32_t)portable.kernel_h * portable.kernel_w * portable.in_c + 7) / 8 * 8;
  uint32_t portable_operands[2];
  test_blocks = 1; /* x stays */
  test_used = (test_guards[0] + TEST_GUARD_BYTES + 15u) & ~15u;
  portable_operands[0] = x;
  portable_operands[1] = test_block(bytes);
  test_run(tml_conv2d_s16, &portable, portable_operands);
  pack();
  operands[0] = x;
  operands[1] = test_block(bytes);
  operands[2] = test_block(4 * k);
  test_run(tml_conv2d_packed_s16_mve, &packed, operands);
  test_expect(memcmp(test_at(operands[1]), test_at(portable_operands[1]), bytes) == 0 && test_guards_intact(),
              "packed case", number);
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
    if (is_depthwise) continue;
    portable.out_c = (uint16_t)(4 * test_between(1, 3));
    set_values(0);
    run_packed(i);
  }
  for (i = 0; i < (int32_t)(sizeof layers / sizeof layers[0]); ++i) {
    const layer *l = &layers[i];
    set_shape(&l->h, &l->w, l->in_c, l->out_c, l->depthwise ? l->in_c : 1);
    portable.batches = 1;
    set_values(1);
    run_case(l->depthwise, -1);
    test_measure(l->name, variant_of(l->depthwise), &portable, operands);
    if (l->depthwise) continue;
    run_packed(-1);
    test_measure("  packed", tml_conv2d_packed_s16_mve, &packed, operands);
  }
  return test_report();
}
