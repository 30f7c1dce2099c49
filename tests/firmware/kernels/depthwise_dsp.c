/* depthwise_dsp.c: the 3x3 depthwise kernels for the DSP extension against the portable kernel, on the target. */
#include "dsp_packing.h"
#include "kernel_test.h"

enum { MAX_CHANNELS = 256 };

static int8_t canonical[9 * MAX_CHANNELS], packed[17 * MAX_CHANNELS];
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static tml_conv2d_params p;
static tml_depthwise_dsp_params d;

/* The order as the header words it: (row, column) of the tap at each place. */
static void pack(void) {
  static const char order[] = "000110110221122022";
  int8_t *to = packed;
  uint32_t c, i;
  for (c = 0; c < p.out_c; ++c) {
    const uint32_t word = d.code_shift ? channel_word(bias[c], multipliers[c], d.code_shift) : (uint32_t)bias[c];
    for (i = 0; i < 4; ++i) *to++ = (int8_t)(word >> (8 * i));
    for (i = 0; i < 4 && p.multiplier_step && !d.code_shift; ++i) *to++ = (int8_t)(multipliers[c] >> (8 * i));
    for (i = 0; i < 9; ++i) {
      *to++ = canonical[(uint32_t)((order[2 * i] - '0') * 3 + order[2 * i + 1] - '0') * p.out_c + c];
    }
  }
}

static uint32_t scratch_bytes(void) {
  const uint32_t rows = d.band_rows < p.out_h ? d.band_rows : p.out_h;
  if (p.stride_h == 2) return 32u * (p.out_w + 1u) * (rows + 1);
  return 32u * ((p.out_w + 3u) / 2) * ((rows + 1) / 2 + 1);
}

static void shape(int stride, int in_h, int in_w, int channels, int pad_top, int pad_left, int pad_end) {
  memset(&p, 0, sizeof p);
  p.batches = 1;
  p.in_h = (uint16_t)in_h, p.in_w = (uint16_t)in_w;
  p.in_c = p.out_c = p.groups = (uint16_t)channels;
  p.out_h = (uint16_t)((in_h + pad_top + pad_end - 3) / stride + 1);
  p.out_w = (uint16_t)((in_w + pad_left + pad_end - 3) / stride + 1);
  p.kernel_h = p.kernel_w = 3;
  p.stride_h = p.stride_w = (uint16_t)stride;
  p.dilation_h = p.dilation_w = 1;
  p.pad_top = (uint16_t)pad_top, p.pad_left = (uint16_t)pad_left;
  p.weights = canonical, p.bias = bias, p.multipliers = multipliers;
}

static void values(void) {
  uint32_t c;
  p.multiplier_step = test_chance(70) ? 1 : 0;
  p.in_zero = test_zero();
  p.out_zero = test_zero();
  test_clamp(&p.clamp_min, &p.clamp_max);
  test_bytes(canonical, 9u * p.out_c, -128, 127);
  for (c = 0; c < p.out_c; ++c) {
    bias[c] = test_between(-400000, 400000);
    multipliers[c] = test_multiplier(9);
  }
  d.code_shift = (uint8_t)(p.multiplier_step && test_chance(50) ? shorten_dsp(bias, multipliers, p.out_c) : 0);
  pack();
  d.stream = packed, d.multiplier = multipliers[0];
  d.batches = p.batches, d.in_h = p.in_h, d.in_w = p.in_w, d.channels = p.in_c, d.out_h = p.out_h, d.out_w = p.out_w;
  d.pad_top = p.pad_top, d.pad_left = p.pad_left, d.multiplier_step = p.multiplier_step;
  d.in_zero = p.in_zero, d.out_zero = p.out_zero, d.clamp_min = p.clamp_min, d.clamp_max = p.clamp_max;
}

static tml_kernel variant(void) { return p.stride_h == 2 ? tml_depthwise3x3_stride2_s8_dsp : tml_depthwise3x3_s8_dsp; }

static void compare(int32_t number) {
  const uint32_t in_bytes = (uint32_t)p.batches * p.in_h * p.in_w * p.in_c;
  const uint32_t out_bytes = (uint32_t)p.batches * p.out_h * p.out_w * p.out_c;
  uint32_t reference[2], apart[3], in_place[3];
  test_reset();
  reference[0] = apart[0] = in_place[0] = in_place[1] = test_block(in_bytes);
  reference[1] = test_block(out_bytes);
  apart[1] = test_block(out_bytes);
  apart[2] = in_place[2] = test_block(scratch_bytes());
  test_bytes(test_at(reference[0]), in_bytes, -128, 127);
  test_run(tml_depthwise_conv2d_s8, &p, reference);
  test_run(variant(), &d, apart);
  test_expect(test_guards_intact(), "depthwise guards", number);
  test_expect(!memcmp(test_at(reference[1]), test_at(apart[1]), out_bytes), "depthwise", number);
  if (p.out_h > p.in_h || p.out_w > p.in_w || p.pad_top > 2) return;
  test_run(variant(), &d, in_place);
  test_expect(!memcmp(test_at(reference[1]), test_at(in_place[1]), out_bytes), "depthwise in place", number);
  test_expect(test_guards_intact(), "depthwise guards in place", number);
}

static void measure(const char *name, int stride, int in_h, int in_w, int channels, int pad, int pad_end, int band) {
  uint32_t operands[3];
  shape(stride, in_h, in_w, channels, pad, pad, pad_end);
  d.band_rows = (uint16_t)band;
  values();
  d.clamp_min = -128, d.clamp_max = 127;
  test_reset();
  operands[0] = operands[1] = test_block((uint32_t)in_h * (uint32_t)in_w * (uint32_t)channels);
  operands[2] = test_block(scratch_bytes());
  test_measure(name, variant(), &d, operands);
}

static void measure_layers(void) {
  measure("kws01_dw 25x5x64", 1, 25, 5, 64, 1, 1, 25);
  measure("vww01_1 48x48x8", 1, 48, 48, 8, 1, 1, 12);
  measure("vww01_3 48x48x16/2", 2, 48, 48, 16, 0, 1, 5);
  measure("vww01_3 48x48x16/2 least scratch", 2, 48, 48, 16, 0, 1, 1);
  measure("vww01_5 24x24x32", 1, 24, 24, 32, 1, 1, 12);
  measure("vww01_7 24x24x32/2", 2, 24, 24, 32, 0, 1, 6);
  measure("vww01_9 12x12x64", 1, 12, 12, 64, 1, 1, 12);
  measure("vww01_11 12x12x64/2", 2, 12, 12, 64, 0, 1, 6);
  measure("vww01_13 6x6x128", 1, 6, 6, 128, 1, 1, 6);
  measure("vww01_23 6x6x128/2", 2, 6, 6, 128, 0, 1, 3);
  measure("vww01_25 3x3x256", 1, 3, 3, 256, 1, 1, 3);
}

int main(void) {
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) {
    const int stride = test_between(1, 2), channels = test_chance(90) ? test_between(4, 13) : test_between(14, 70);
    shape(stride, test_between(1, 13), test_between(1, 13), channels, test_between(0, 3), test_between(0, 3),
          test_between(2, 4));
    p.batches = test_chance(10) ? 2 : 1;
    d.band_rows = (uint16_t)test_between(1, (p.out_h + 2) * stride / 2);
    if (stride == 1) d.band_rows = (uint16_t)(d.band_rows * 2);
    values();
    compare(i);
  }
  measure_layers();
  return test_report();
}
