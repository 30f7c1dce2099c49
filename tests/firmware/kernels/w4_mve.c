/* w4_mve.c: the kernels of packed weights for Helium against the portable int8 ones, on the core itself. See
 * nibble_cases.h. */
#include "nibble_cases.h"

static uint32_t round_up(uint32_t n, uint32_t to) { return (n + to - 1) / to * to; }

/* Blocks of four channels as mve_product.h orders them, the weights as codes. */
static void pack_conv(uint32_t group, uint32_t taps) {
  const uint32_t depth = round_up(taps, 8);
  uint32_t c, k, i, n, step;
  put_header(group);
  for (c = 0; c < p.out_c; c += 4) {
    put_constants(p.out_c, c, 4, bias);
    for (k = n = 0; k < depth; k += step) {
      step = k == 0 && depth % 16 ? 8 : 16;
      for (i = 0; i < 4 * step; ++i) run[n++] = (int8_t)weight_of(taps, p.out_c, c + i / step, k + i % step);
    }
    put_run(n);
    put_constants(p.out_c, c, 4, multipliers);
  }
}

static void conv_case(int32_t number) {
  const tml_conv2d_dsp_params v = conv_record();
  const uint32_t taps = (uint32_t)p.kernel_h * p.kernel_w * p.in_c, k = round_up(taps, 8);
  uint32_t group = 4 * (uint32_t)test_between(1, (p.out_c + 3) / 4);
  if (group > p.out_c) group = p.out_c;
  pack_conv(group, taps);
  compare_conv(tml_conv2d_s8, tml_conv2d_w4_mve, &v, 80 + round_up(group, 4) * (k + 8) + 2 * k, "conv2d", number);
}

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static void depthwise_case(int32_t number) {
  tml_depthwise_mve_params d;
  const uint32_t plane_h = larger(p.pad_top + (uint32_t)p.in_h, (p.out_h - 1u) * p.stride_h + 3);
  const uint32_t plane_w = larger(p.pad_left + (uint32_t)p.in_w, (p.out_w - 1u) * p.stride_w + 3);
  uint32_t c, i;
  memset(&d, 0, sizeof d);
  if (p.out_h < 2 || p.out_w < 2) return;
  put_header(0);
  for (c = 0; c < p.out_c; ++c) {
    put_word(bias[c]);
    put_word(multipliers[c]);
    for (i = 0; i < 9; ++i) run[i] = weights[i * p.out_c + c];
    put_run(9);
  }
  d.stream = packed_words;
  d.in_h = p.in_h, d.in_w = p.in_w, d.channels = p.in_c, d.out_h = p.out_h, d.out_w = p.out_w;
  d.kernel_h = d.kernel_w = 3, d.dilation_h = d.dilation_w = 1;
  d.stride_h = p.stride_h, d.stride_w = p.stride_w;
  d.pad_top = p.pad_top, d.pad_left = p.pad_left;
  d.block_h = d.block_w = 2;
  d.halves = (uint8_t)(p.stride_h == 2 ? 2 : 1);
  d.in_zero = p.in_zero, d.out_zero = p.out_zero, d.clamp_min = p.clamp_min, d.clamp_max = p.clamp_max;
  compare_conv(tml_depthwise_conv2d_s8, tml_depthwise_conv2d_w4_mve, &d,
               20u * p.out_c + round_up(plane_h * plane_w, 4) + 8 * ((p.out_h + 1u) / 2) * ((p.out_w + 1u) / 2),
               "depthwise", number);
}

/* As the kernel's file describes it. */
static void pack_dense(void) {
  uint32_t c, k, i, pair;
  packed = (uint8_t *)packed_words;
  for (c = 0; c < f.out_features; c += 8) {
    for (k = 0; k < f.in_features; k += 16) {
      for (pair = c; pair < c + 8; pair += 2) {
        for (i = k; i < k + 16; ++i) {
          const int32_t even = weight_of(f.in_features, f.out_features, pair, i);
          *packed++ = (uint8_t)(2 * weight_of(f.in_features, f.out_features, pair + 1, i) + even / 8 + 8);
        }
      }
    }
    put_constants(f.out_features, c, 8, bias);
    put_constants(f.out_features, c, 8, multipliers);
  }
}

static void dense_case(int32_t number) {
  const tml_fully_connected_dsp_params v = dense_record();
  pack_dense();
  compare_dense(tml_fully_connected_w4_mve, &v, round_up(f.in_features, 16), number);
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
