/* w4_dsp.c: the kernels of packed weights for cores with the DSP extension against the portable int8 ones, on the core
 * itself. See nibble_cases.h. */
#include "nibble_cases.h"

static uint32_t round_up(uint32_t n, uint32_t to) { return (n + to - 1) / to * to; }

/* Blocks of two channels as dsp_product.h orders them, the weights as codes. */
static void pack_conv(uint32_t group, uint32_t taps) {
  static const uint32_t order[4] = {0, 2, 1, 3};
  uint32_t c, k, i, n;
  put_header(group);
  for (c = 0; c < p.out_c; c += 2) {
    put_constants(p.out_c, c, 1, bias);
    for (k = n = 0; k < taps; k += 4) {
      for (i = 0; i < 4; ++i) {
        run[n++] = (int8_t)weight_of(taps, p.out_c, c, k + order[i]);
        run[n++] = (int8_t)weight_of(taps, p.out_c, c + 1, k + order[i]);
      }
    }
    put_run(n);
    put_constants(p.out_c, c + 1, 1, bias);
    put_constants(p.out_c, c, 2, multipliers);
  }
}

static void conv_case(int32_t number) {
  const tml_conv2d_dsp_params v = conv_record();
  const uint32_t taps = (uint32_t)p.kernel_h * p.kernel_w * p.in_c, k = round_up(taps, 4);
  uint32_t group = 2 * (uint32_t)test_between(1, (p.out_c + 1) / 2);
  if (group > p.out_c) group = p.out_c;
  if (taps > 500) return; /* 24 bits, whatever the weights */
  pack_conv(group, taps);
  compare_conv(tml_conv2d_s8, tml_conv2d_w4_dsp, &v, 80 + round_up(group, 2) * (k + 8) + 9 * k + 12, "conv2d", number);
}

static void depthwise_case(int32_t number) {
  static const char order[] = "000110110221122022"; /* (row, column) of the tap at each place */
  tml_depthwise_dsp_params d;
  const uint32_t stride = p.stride_h;
  uint32_t c, i, rows, scratch;
  memset(&d, 0, sizeof d);
  put_header(0);
  for (c = 0; c < p.out_c; ++c) {
    put_word(bias[c]);
    put_word(multipliers[c]);
    for (i = 0; i < 9; ++i)
      run[i] = weights[(uint32_t)((order[2 * i] - '0') * 3 + order[2 * i + 1] - '0') * p.out_c + c];
    put_run(9);
  }
  d.stream = (const int8_t *)packed_words;
  d.batches = p.batches, d.in_h = p.in_h, d.in_w = p.in_w, d.channels = p.in_c, d.out_h = p.out_h, d.out_w = p.out_w;
  d.pad_top = p.pad_top, d.pad_left = p.pad_left, d.multiplier_step = 1;
  d.in_zero = p.in_zero, d.out_zero = p.out_zero, d.clamp_min = p.clamp_min, d.clamp_max = p.clamp_max;
  d.band_rows = (uint16_t)(2 * test_between(1, p.out_h));
  rows = d.band_rows < p.out_h ? d.band_rows : p.out_h;
  scratch = stride == 2 ? 32u * (p.out_w + 1u) * (rows + 1) : 32u * ((p.out_w + 3u) / 2) * ((rows + 1) / 2 + 1);
  compare_conv(tml_depthwise_conv2d_s8, stride == 2 ? tml_depthwise3x3_stride2_w4_dsp : tml_depthwise3x3_w4_dsp, &d,
               round_up(17u * p.out_c, 4) + scratch, "depthwise", number);
}

/* As the kernel's file describes it; returns 0 where a fourth channel may leave its 20 bits. */
static int pack_dense(void) {
  static const uint32_t order[4] = {0, 2, 1, 3};
  uint32_t c, i, k, n;
  packed = (uint8_t *)packed_words;
  for (c = 0; c < f.out_features; c += 4) {
    int32_t size = 0;
    for (k = 0; k < round_up(f.in_features, 8); k += 4) {
      for (i = 0; i < 4; ++i) {
        uint32_t half = 0;
        for (n = 0; n < 4; ++n) {
          const int32_t int4 = weight_of(f.in_features, f.out_features, c + n, k + order[i]) / 8;
          half |= ((uint32_t)(n < 3 ? int4 + 8 : int4) & 15u) << 4 * n;
          if (n == 3) size += int4 < 0 ? -int4 : int4;
        }
        *packed++ = (uint8_t)half;
        *packed++ = (uint8_t)(half >> 8);
      }
    }
    if (size * 128 >= 1 << 19) return 0;
    put_constants(f.out_features, c, 4, bias);
    put_constants(f.out_features, c, 4, multipliers);
  }
  return 1;
}

static void dense_case(int32_t number) {
  const tml_fully_connected_dsp_params v = dense_record();
  if (pack_dense()) compare_dense(tml_fully_connected_w4_dsp, &v, 2 * round_up(f.in_features, 8), number);
}

int main(void) {
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) {
    if (random_conv()) conv_case(i);
    if (random_depthwise(3)) depthwise_case(i);
    random_dense(0);
    dense_case(i);
  }
  return test_report();
}
