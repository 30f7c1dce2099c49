/* conv_s16_cases.h: shapes, constants and data for the tests of convolutions with 16-bit activations, and the layers of
 * the small models. */
#ifndef TINYML_TESTS_FIRMWARE_CONV_S16_CASES_H
#define TINYML_TESTS_FIRMWARE_CONV_S16_CASES_H

#include "kernel_test.h"
#include "tinyml_runtime_s16.h"

enum { MAX_WEIGHTS = 65536, MAX_CHANNELS = 256 };

static int8_t weights[MAX_WEIGHTS];
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static tml_conv2d_s16_params portable;
static uint32_t x;

typedef struct axis {
  int32_t in, kernel, stride, dilation, before, after;
} axis;

static int32_t out_extent(const axis *a) {
  return (a->in + a->before + a->after - (a->kernel - 1) * a->dilation - 1) / a->stride + 1;
}

static int exists(const axis *a) { return a->in + a->before + a->after >= (a->kernel - 1) * a->dilation + 1; }

static axis random_axis(void) {
  axis a;
  a.in = test_between(1, 8);
  a.kernel = test_between(1, 4);
  a.stride = test_chance(60) ? 1 : test_between(2, 3);
  a.dilation = test_chance(70) ? 1 : 2;
  a.before = test_chance(40) ? 0 : test_between(0, a.kernel + 1);
  a.after = test_chance(40) ? 0 : test_between(0, a.kernel + 1);
  return a;
}

static void set_shape(const axis *h, const axis *w, int32_t in_c, int32_t out_c, int32_t groups) {
  tml_conv2d_s16_params p = {0};
  p.batches = test_chance(20) ? 2 : 1;
  p.in_h = (uint16_t)h->in, p.in_w = (uint16_t)w->in, p.in_c = (uint16_t)in_c;
  p.out_h = (uint16_t)out_extent(h), p.out_w = (uint16_t)out_extent(w), p.out_c = (uint16_t)out_c;
  p.groups = (uint16_t)groups;
  p.kernel_h = (uint16_t)h->kernel, p.kernel_w = (uint16_t)w->kernel;
  p.stride_h = (uint16_t)h->stride, p.stride_w = (uint16_t)w->stride;
  p.dilation_h = (uint16_t)h->dilation, p.dilation_w = (uint16_t)w->dilation;
  p.pad_top = (uint16_t)h->before, p.pad_left = (uint16_t)w->before;
  portable = p;
}

static void halfwords(int16_t *to, uint32_t count) {
  const uint32_t extreme = test_chance(20);
  while (count-- > 0)
    *to++ = (int16_t)(extreme ? (test_random() & 256u ? -32768 : 32767) : test_between(-32768, 32767));
}

/* Random constants and data of the shape, such that no sum leaves 32 bits. */
static void set_values(int plain) {
  tml_conv2d_s16_params *p = &portable;
  const uint32_t taps = (uint32_t)p->kernel_h * p->kernel_w * (p->in_c / p->groups);
  const int32_t most = taps * 127 < 60000 ? 127 : (int32_t)(60000 / taps);
  uint32_t c, count;
  p->multiplier_step = (uint8_t)(plain || test_chance(70));
  p->clamp_min = -32768, p->clamp_max = 32767;
  if (plain || test_chance(40)) {
    p->clamp_min = 0;
  } else if (test_chance(40)) {
    p->clamp_min = (int16_t)test_between(-32768, 32767), p->clamp_max = (int16_t)test_between(p->clamp_min, 32767);
  }
  test_reset();
  count = (uint32_t)p->batches * p->in_h * p->in_w * p->in_c;
  x = test_block(2 * count);
  halfwords((int16_t *)(void *)test_at(x), count);
  test_bytes(weights, taps * p->out_c, -most, most);
  for (c = 0; c < p->out_c; ++c) {
    bias[c] = test_chance(20) ? test_between(-100000000, 100000000) : test_between(-20000, 20000);
    multipliers[c] = test_chance(10) ? (int32_t)(test_random() >> 1) : test_between(1 << 16, 1 << 24);
    if (test_chance(5)) multipliers[c] = -multipliers[c];
  }
  p->weights = weights;
  p->bias = bias;
  p->multipliers = multipliers;
}

typedef struct layer {
  const char *name;
  axis h, w;
  int32_t in_c, out_c, depthwise;
} layer;

/* clang-format off */
static const layer layers[] = {
    {"kws01_0", {49, 10, 2, 1, 4, 5}, {10, 4, 2, 1, 1, 1}, 1, 64, 0},
    {"kws01_1", {25, 3, 1, 1, 1, 1}, {5, 3, 1, 1, 1, 1}, 64, 64, 1},
    {"kws01_2", {25, 1, 1, 1, 0, 0}, {5, 1, 1, 1, 0, 0}, 64, 64, 0},
    {"ic01_0", {32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 3, 16, 0},
    {"ic01_1", {32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 16, 16, 0},
    {"ic01_4", {32, 3, 2, 1, 0, 1}, {32, 3, 2, 1, 0, 1}, 16, 32, 0},
    {"ic01_5", {16, 3, 1, 1, 1, 1}, {16, 3, 1, 1, 1, 1}, 32, 32, 0},
    {"ic01_6", {32, 1, 2, 1, 0, 0}, {32, 1, 2, 1, 0, 0}, 16, 32, 0},
    {"ic01_9", {8, 3, 1, 1, 1, 1}, {8, 3, 1, 1, 1, 1}, 64, 64, 0},
    {"vww01_0", {48, 3, 2, 1, 0, 1}, {96, 3, 2, 1, 0, 1}, 3, 8, 0},
    {"vww01_1", {48, 3, 1, 1, 1, 1}, {48, 3, 1, 1, 1, 1}, 8, 8, 1},
    {"vww01_2", {48, 1, 1, 1, 0, 0}, {48, 1, 1, 1, 0, 0}, 8, 16, 0},
    {"vww01_3", {48, 3, 2, 1, 0, 1}, {48, 3, 2, 1, 0, 1}, 16, 16, 1},
    {"vww01_6", {24, 1, 1, 1, 0, 0}, {24, 1, 1, 1, 0, 0}, 32, 32, 0},
    {"vww01_10", {12, 1, 1, 1, 0, 0}, {12, 1, 1, 1, 0, 0}, 64, 64, 0},
    {"vww01_13", {6, 3, 1, 1, 1, 1}, {6, 3, 1, 1, 1, 1}, 128, 128, 1},
    {"vww01_14", {6, 1, 1, 1, 0, 0}, {6, 1, 1, 1, 0, 0}, 128, 128, 0},
    {"vww01_26", {3, 1, 1, 1, 0, 0}, {3, 1, 1, 1, 0, 0}, 256, 256, 0},
    {"ad01_1", {1, 1, 1, 1, 0, 0}, {1, 1, 1, 1, 0, 0}, 128, 128, 0},
    {"one channel", {14, 3, 1, 1, 0, 0}, {14, 3, 1, 1, 0, 0}, 1, 12, 0},
};
/* clang-format on */

#endif
