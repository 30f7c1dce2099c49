/* nibble_cases.h: random layers whose weights have at most 16 values, and the codes of nibbles.h written once more from
 * their description. The families w4, w4_dsp and w4_mve run their kernels against the portable int8 kernel on them.
 */
#ifndef TINYML_TESTS_NIBBLE_CASES_H
#define TINYML_TESTS_NIBBLE_CASES_H

#include "kernel_test.h"

enum { MAX_WEIGHTS = 40000, MAX_CHANNELS = 256 };

static int8_t weights[MAX_WEIGHTS], run[MAX_WEIGHTS], table[16];
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static uint32_t packed_words[MAX_WEIGHTS / 4 + 16 * MAX_CHANNELS];
static uint8_t *packed; /* grows in packed_words */
static int is_int4;
static tml_conv2d_params p;
static tml_fully_connected_params f;

/* ---- values -------------------------------------------------------------------------------------------------- */

static void set_table(int any) {
  int32_t i;
  is_int4 = !any || test_chance(50);
  for (i = 0; i < 16; ++i) table[i] = (int8_t)(is_int4 ? 8 * i - 64 : i == 0 ? 0 : test_between(-127, 127));
}

static void set_weights(uint32_t count) {
  const uint32_t extreme = test_chance(15);
  uint32_t i;
  for (i = 0; i < count; ++i) weights[i] = table[extreme ? (test_random() & 256u ? 0 : 15) : test_random() >> 28];
}

static void set_constants(uint32_t channels, uint32_t taps) {
  uint32_t c;
  for (c = 0; c < channels; ++c) {
    bias[c] = test_between(-400000, 400000);
    multipliers[c] = test_multiplier(taps);
  }
}

/* ---- packing ------------------------------------------------------------------------------------------------- */

static uint32_t code_of(int32_t weight) {
  uint32_t code = 0;
  while (table[code] != weight) ++code;
  return code;
}

static void put_header(uint32_t group) {
  uint32_t i;
  packed = (uint8_t *)packed_words;
  *packed++ = (uint8_t)group;
  *packed++ = (uint8_t)(group >> 8);
  *packed++ = (uint8_t)!is_int4;
  *packed++ = 0;
  for (i = 0; i < 16 && !is_int4; ++i) *packed++ = (uint8_t)table[i];
}

static void put_word(int32_t word) {
  uint32_t i;
  for (i = 0; i < 32; i += 8) *packed++ = (uint8_t)((uint32_t)word >> i);
}

/* Codes of the first n weights in `run`. */
static void put_run(uint32_t n) {
  uint32_t i, k;
  for (i = 0; i + 8 <= n; i += 8) {
    for (k = i; k < i + 4; ++k) *packed++ = (uint8_t)(code_of(run[k]) | code_of(run[k + 4]) << 4);
  }
  for (; i < n; i += 2) *packed++ = (uint8_t)(code_of(run[i]) | (i + 1 < n ? code_of(run[i + 1]) << 4 : 0));
}

/* ---- layers -------------------------------------------------------------------------------------------------- */

typedef struct axis {
  int32_t in, kernel, stride, dilation, before, after;
} axis;

static int32_t out_extent(const axis *a) {
  return (a->in + a->before + a->after - (a->kernel - 1) * a->dilation - 1) / a->stride + 1;
}

static int exists(const axis *a) { return a->in + a->before + a->after >= (a->kernel - 1) * a->dilation + 1; }

static axis random_axis(int32_t kernel) {
  axis a;
  a.in = test_between(1, 9);
  a.kernel = kernel ? kernel : test_between(1, 4);
  a.stride = test_chance(60) ? 1 : 2;
  a.dilation = kernel || test_chance(80) ? 1 : 2;
  a.before = test_chance(40) ? 0 : test_between(0, a.kernel - 1);
  a.after = test_chance(40) ? 0 : test_between(0, a.kernel);
  return a;
}

static void set_layer(const axis *h, const axis *w, int32_t in_c, int32_t out_c, int32_t groups) {
  const uint32_t taps = (uint32_t)(h->kernel * w->kernel * in_c / groups);
  memset(&p, 0, sizeof p);
  p.batches = 1;
  p.in_h = (uint16_t)h->in, p.in_w = (uint16_t)w->in, p.in_c = (uint16_t)in_c;
  p.out_h = (uint16_t)out_extent(h), p.out_w = (uint16_t)out_extent(w), p.out_c = (uint16_t)out_c;
  p.groups = (uint16_t)groups;
  p.kernel_h = (uint16_t)h->kernel, p.kernel_w = (uint16_t)w->kernel;
  p.stride_h = (uint16_t)h->stride, p.stride_w = (uint16_t)w->stride;
  p.dilation_h = (uint16_t)h->dilation, p.dilation_w = (uint16_t)w->dilation;
  p.pad_top = (uint16_t)h->before, p.pad_left = (uint16_t)w->before;
  p.multiplier_step = 1;
  p.in_zero = test_zero();
  p.out_zero = test_zero();
  test_clamp(&p.clamp_min, &p.clamp_max);
  set_table(1);
  set_weights(taps * p.out_c);
  set_constants(p.out_c, taps);
  p.weights = weights, p.bias = bias, p.multipliers = multipliers;
}

static int random_conv(void) {
  static const int32_t depths[7] = {1, 3, 4, 8, 16, 20, 33};
  const axis h = random_axis(0), w = random_axis(0);
  if (!exists(&h) || !exists(&w)) return 0;
  set_layer(&h, &w, depths[test_between(0, 6)], test_between(1, 20), 1);
  return 1;
}

static int random_depthwise(int32_t kernel) {
  axis h = random_axis(kernel), w = random_axis(kernel);
  const int32_t channels = test_between(4, 20);
  if (kernel) w.stride = h.stride;
  if (!exists(&h) || !exists(&w)) return 0;
  set_layer(&h, &w, channels, channels, channels);
  return 1;
}

static void random_dense(int any) {
  memset(&f, 0, sizeof f);
  f.rows = (uint32_t)test_between(1, 2);
  f.in_features = (uint32_t)(test_chance(50) ? test_between(1, 20) : test_between(20, 300));
  f.out_features = (uint32_t)test_between(1, 20);
  f.multiplier_step = 1;
  f.out_zero = test_zero();
  test_clamp(&f.clamp_min, &f.clamp_max);
  set_table(any);
  set_weights(f.in_features * f.out_features);
  set_constants(f.out_features, f.in_features);
  f.weights = weights, f.bias = bias, f.multipliers = multipliers;
}

/* The record of the kernels for cores with the DSP extension and with Helium. */
static inline tml_conv2d_dsp_params conv_record(void) {
  tml_conv2d_dsp_params v;
  memset(&v, 0, sizeof v);
  v.stream = packed_words;
  v.batches = p.batches;
  v.in_h = p.in_h, v.in_w = p.in_w, v.in_c = p.in_c;
  v.out_h = p.out_h, v.out_w = p.out_w, v.out_c = p.out_c;
  v.kernel_h = p.kernel_h, v.kernel_w = p.kernel_w;
  v.stride_h = p.stride_h, v.stride_w = p.stride_w;
  v.dilation_h = p.dilation_h, v.dilation_w = p.dilation_w;
  v.pad_top = p.pad_top, v.pad_left = p.pad_left;
  v.in_zero = p.in_zero, v.out_zero = p.out_zero;
  v.clamp_min = p.clamp_min, v.clamp_max = p.clamp_max;
  return v;
}

static inline tml_fully_connected_dsp_params dense_record(void) {
  tml_fully_connected_dsp_params v;
  memset(&v, 0, sizeof v);
  v.stream = packed_words;
  v.rows = f.rows, v.in_features = f.in_features, v.out_features = f.out_features;
  v.out_zero = f.out_zero, v.clamp_min = f.clamp_min, v.clamp_max = f.clamp_max;
  return v;
}

static int32_t weight_of(uint32_t taps, uint32_t channels, uint32_t c, uint32_t k) {
  return c < channels && k < taps ? weights[c * taps + k] : 0;
}

static inline void put_constants(uint32_t channels, uint32_t first, uint32_t count, const int32_t *values) {
  uint32_t c;
  for (c = first; c < first + count; ++c) put_word(c < channels ? values[c] : 0);
}

/* Both kernels; the int8 one is the reference. */
static void compare(tml_kernel reference, const void *reference_params, tml_kernel kernel, const void *params,
                    uint32_t in_bytes, uint32_t out_bytes, uint32_t scratch_bytes, const char *what, int32_t number) {
  uint32_t expected[2], operands[3];
  test_reset();
  expected[0] = operands[0] = test_block(in_bytes);
  test_bytes(test_at(operands[0]), in_bytes, -128, 127);
  expected[1] = test_block(out_bytes);
  operands[1] = test_block(out_bytes);
  operands[2] = test_block(scratch_bytes);
  test_run(reference, reference_params, expected);
  test_run(kernel, params, operands);
  test_expect(memcmp(test_at(operands[1]), test_at(expected[1]), out_bytes) == 0 && test_guards_intact(), what, number);
}

static void compare_conv(tml_kernel reference, tml_kernel kernel, const void *params, uint32_t scratch_bytes,
                         const char *what, int32_t number) {
  compare(reference, &p, kernel, params, (uint32_t)p.in_h * p.in_w * p.in_c, (uint32_t)p.out_h * p.out_w * p.out_c,
          scratch_bytes, what, number);
}

static void compare_dense(tml_kernel kernel, const void *params, uint32_t scratch_bytes, int32_t number) {
  compare(tml_fully_connected_s8, &f, kernel, params, f.rows * f.in_features, f.rows * f.out_features, scratch_bytes,
          "fully connected", number);
}

#endif
