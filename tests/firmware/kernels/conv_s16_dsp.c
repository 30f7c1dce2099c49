/* conv_s16_dsp.c: tml_conv2d_s16_dsp and the 3x3 depthwise kernels against the portable kernels on the core itself,
 * and the instructions of the layers of the small models. See kernel_test.h. */
#include "conv_s16_cases.h"

static uint32_t packed[MAX_WEIGHTS / 4 + 16 * MAX_CHANNELS];
static tml_conv2d_s16_dsp_params variant;
static tml_depthwise_s16_dsp_params depthwise;
static int8_t stream[MAX_CHANNELS * 17];

/* As the record describes it, byte by byte. */
static void pack(uint32_t taps) {
  const uint32_t k = (taps + 3) / 4 * 4, step = portable.multiplier_step;
  uint32_t *to = packed;
  uint32_t c, i, tap;
  for (c = 0; c < portable.out_c; c += 2) {
    const uint32_t odd = c + 1 < portable.out_c ? c + 1 : c;
    *to++ = (uint32_t)bias[c];
    *to++ = (uint32_t)bias[odd];
    for (tap = 0; tap < k; tap += 2) {
      uint8_t bytes[4] = {0, 0, 0, 0};
      for (i = 0; i < 2; ++i) {
        if (tap + i >= taps) continue;
        bytes[2 * i] = (uint8_t)weights[c * taps + tap + i];
        if (odd != c) bytes[2 * i + 1] = (uint8_t)weights[odd * taps + tap + i];
      }
      *to++ = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    }
    *to++ = (uint32_t)multipliers[c * step];
    *to++ = (uint32_t)multipliers[odd * step];
  }
}

static void set_variant(void) {
  const tml_conv2d_s16_params *p = &portable;
  tml_conv2d_s16_dsp_params v = {0};
  v.stream = packed;
  v.batches = p->batches;
  v.in_h = p->in_h, v.in_w = p->in_w, v.in_c = p->in_c;
  v.out_h = p->out_h, v.out_w = p->out_w, v.out_c = p->out_c;
  v.kernel_h = p->kernel_h, v.kernel_w = p->kernel_w;
  v.stride_h = p->stride_h, v.stride_w = p->stride_w;
  v.dilation_h = p->dilation_h, v.dilation_w = p->dilation_w;
  v.pad_top = p->pad_top, v.pad_left = p->pad_left;
  v.clamp_min = p->clamp_min, v.clamp_max = p->clamp_max;
  variant = v;
  pack((uint32_t)p->kernel_h * p->kernel_w * p->in_c);
}

/* From the record's description. */
static uint32_t scratch_bytes(void) {
  const tml_conv2d_s16_dsp_params *v = &variant;
  const uint32_t k = ((uint32_t)v->kernel_h * v->kernel_w * v->in_c + 3) / 4 * 4;
  const int dense = v->pad_top == 0 && v->pad_left == 0 && v->kernel_w * v->in_c % 2 == 0 && v->dilation_w == 1 &&
                    (v->out_h - 1) * v->stride_h + (v->kernel_h - 1) * v->dilation_h < v->in_h &&
                    (v->out_w - 1) * v->stride_w + v->kernel_w - 1 < v->in_w;
  return dense ? 6 * k : 12 * k;
}

/* As the record describes it. Returns the bytes of the scratch. */
static uint32_t set_depthwise(int is_whole) {
  static const uint8_t order[9] = {0, 1, 3, 4, 2, 7, 5, 6, 8};
  const tml_conv2d_s16_params *p = &portable;
  const uint32_t stride = p->stride_w;
  tml_depthwise_s16_dsp_params v = {0};
  int8_t *to = stream;
  uint32_t c, i, rows, columns, pair_rows;
  v.stream = stream;
  v.multiplier = multipliers[0];
  v.multiplier_step = p->multiplier_step;
  v.batches = p->batches;
  v.in_h = p->in_h, v.in_w = p->in_w, v.channels = p->in_c;
  v.out_h = p->out_h, v.out_w = p->out_w;
  v.pad_top = p->pad_top, v.pad_left = p->pad_left;
  v.band_rows = (uint16_t)(stride == 1 ? 2 * test_between(1, 4) : test_between(1, 6));
  v.clamp_min = p->clamp_min, v.clamp_max = p->clamp_max;
  if (is_whole) v.band_rows = (uint16_t)(v.out_h + v.out_h % 2);
  depthwise = v;
  for (c = 0; c < p->out_c; ++c) {
    memcpy(to, &bias[c], 4);
    to += 4;
    if (v.multiplier_step) memcpy(to, &multipliers[c], 4);
    to += 4 * v.multiplier_step;
    for (i = 0; i < 9; ++i) *to++ = weights[order[i] * p->out_c + c];
  }
  rows = v.band_rows < v.out_h ? v.band_rows : v.out_h;
  columns = stride == 1 ? (v.out_w + 3u) / 2 : v.out_w + 1u;
  pair_rows = stride == 1 ? (rows + 1) / 2 + 1 : rows + 1;
  return 32 * columns * pair_rows;
}

static uint32_t operands[3];

static void run_case(int is_depthwise, int32_t number) {
  const tml_conv2d_s16_params *p = &portable;
  const uint32_t bytes = 2u * p->batches * p->out_h * p->out_w * p->out_c;
  const uint32_t expected = test_block(bytes);
  const uint32_t portable_operands[2] = {x, expected};
  const int in_place = is_depthwise && p->out_h <= p->in_h && p->out_w <= p->in_w && p->pad_top <= 2 &&
                       p->batches == 1 && number >= 0 && test_chance(50);
  test_run(is_depthwise ? tml_depthwise_conv2d_s16 : tml_conv2d_s16, &portable, portable_operands);
  operands[0] = x;
  operands[1] = in_place ? x : test_block(bytes);
  if (is_depthwise) {
    operands[2] = test_block(set_depthwise(number < 0));
    test_run(p->stride_w == 1 ? tml_depthwise3x3_s16_dsp : tml_depthwise3x3_stride2_s16_dsp, &depthwise, operands);
  } else {
    set_variant();
    operands[2] = test_block(scratch_bytes());
    test_run(tml_conv2d_s16_dsp, &variant, operands);
  }
  test_expect(memcmp(test_at(operands[1]), test_at(expected), bytes) == 0 && test_guards_intact(),
              is_depthwise ? "depthwise case" : "conv2d case", number);
}

static void run_grid(void) {
  static const int32_t depths[8] = {1, 2, 3, 4, 5, 8, 16, 33};
  int32_t i;
  for (i = 0; i < 2 * TEST_CASES; ++i) {
    axis h = random_axis(), w = random_axis();
    const int is_depthwise = test_chance(40);
    const int32_t channels = test_between(4, 13);
    if (is_depthwise) {
      h.kernel = w.kernel = 3, h.dilation = w.dilation = 1;
      h.stride = w.stride = test_between(1, 2);
    }
    if (!exists(&h) || !exists(&w)) continue;
    if (is_depthwise) {
      set_shape(&h, &w, channels, channels, channels);
    } else {
      set_shape(&h, &w, depths[test_between(0, 7)], test_between(1, 9), 1);
    }
    set_values(0);
    run_case(is_depthwise, i);
  }
}

static void measure_layers(void) {
  uint32_t i;
  for (i = 0; i < sizeof layers / sizeof layers[0]; ++i) {
    const layer *l = &layers[i];
    set_shape(&l->h, &l->w, l->in_c, l->out_c, l->depthwise ? l->in_c : 1);
    portable.batches = 1;
    set_values(1);
    run_case(l->depthwise, -1);
    if (l->depthwise) {
      test_measure(l->name, l->w.stride == 1 ? tml_depthwise3x3_s16_dsp : tml_depthwise3x3_stride2_s16_dsp, &depthwise,
                   operands);
    } else {
      test_measure(l->name, tml_conv2d_s16_dsp, &variant, operands);
    }
  }
}

int main(void) {
  run_grid();
  measure_layers();
  return test_report();
}
