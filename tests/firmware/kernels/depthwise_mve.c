/* depthwise_mve.c: tml_depthwise_conv2d_s8_mve against tml_depthwise_conv2d_s8 on the core itself, and the instructions
 * of the layers of kws01 and vww01. See kernel_test.h. */
#include "kernel_test.h"

enum { MAX_CHANNELS = 256, MAX_TAPS = 16 };

static int8_t weights[MAX_TAPS * MAX_CHANNELS];
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static uint32_t packed[(MAX_TAPS / 4 + 3) * MAX_CHANNELS];
static tml_conv2d_params p;
static tml_depthwise_mve_params d;

typedef struct axis {
  int32_t in, kernel, stride, dilation, before, after;
} axis;

static int32_t out_extent(const axis *a) {
  return (a->in + a->before + a->after - (a->kernel - 1) * a->dilation - 1) / a->stride + 1;
}

static int exists(const axis *a) { return a->in + a->before + a->after >= (a->kernel - 1) * a->dilation + 1; }

static axis random_axis(void) {
  axis a;
  a.in = test_between(1, 12);
  a.kernel = test_between(1, 5);
  a.stride = test_chance(60) ? 1 : test_between(2, 3);
  a.dilation = test_chance(80) ? 1 : 2;
  a.before = test_chance(40) ? 0 : test_between(0, a.kernel + 1);
  a.after = test_chance(40) ? 0 : test_between(0, a.kernel + 1);
  return a;
}

static int32_t reach(int32_t outputs, int32_t stride, int32_t kernel, int32_t dilation) {
  return (outputs - 1) * stride + (kernel - 1) * dilation + 1;
}

static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t plane_w(void) {
  return larger(p.pad_left + p.in_w, reach(p.out_w, p.stride_w, p.kernel_w, p.dilation_w));
}
static int32_t plane_h(void) {
  return larger(p.pad_top + p.in_h, reach(p.out_h, p.stride_h, p.kernel_h, p.dilation_h));
}

/* A block that fits, from a random one on; 0 where there is none. */
static int set_block(void) {
  static const int32_t heights[6] = {2, 2, 1, 1, 4, 4};
  int32_t i, at = test_between(0, 5);
  if (p.in_c > 9 || p.in_h == 48) at = 0; /* a layer */
  for (i = 0; i < 6; ++i, at = (at + 1) % 6) {
    const int32_t block_h = heights[at], block_w = 4 / block_h, halves = at % 2 + 1;
    const int32_t half_h = block_h > 1 ? block_h / halves : 1, half_w = block_h > 1 ? block_w : block_w / halves;
    const int32_t rows = reach(half_h, p.stride_h, p.kernel_h, p.dilation_h);
    const int32_t columns = reach(half_w, p.stride_w, p.kernel_w, p.dilation_w);
    if (block_h > p.out_h || block_w > p.out_w || rows * columns > 16) continue;
    if ((rows - 1) * plane_w() + columns > 256) continue;
    d.block_h = (uint8_t)block_h, d.block_w = (uint8_t)block_w, d.halves = (uint8_t)halves;
    return 1;
  }
  return 0;
}

static void pack(void) {
  uint32_t *to = packed;
  const uint32_t taps = (uint32_t)p.kernel_h * p.kernel_w;
  uint32_t c, k;
  for (c = 0; c < p.out_c; ++c) {
    int8_t *bytes;
    *to++ = (uint32_t)bias[c];
    *to++ = (uint32_t)multipliers[p.multiplier_step ? c : 0];
    bytes = (int8_t *)to;
    for (k = 0; k < taps; ++k) *bytes++ = weights[k * p.out_c + c];
    do *bytes++ = 0;
    while (((uintptr_t)bytes & 3u) != 0);
    to = (uint32_t *)(void *)bytes;
  }
}

static int set_shape(const axis *h, const axis *w, int32_t channels) {
  memset(&p, 0, sizeof p);
  memset(&d, 0, sizeof d);
  p.batches = 1;
  p.in_c = p.out_c = p.groups = d.channels = (uint16_t)channels;
  p.in_h = d.in_h = (uint16_t)h->in, p.in_w = d.in_w = (uint16_t)w->in;
  p.out_h = d.out_h = (uint16_t)out_extent(h), p.out_w = d.out_w = (uint16_t)out_extent(w);
  p.kernel_h = d.kernel_h = (uint16_t)h->kernel, p.kernel_w = d.kernel_w = (uint16_t)w->kernel;
  p.stride_h = d.stride_h = (uint16_t)h->stride, p.stride_w = d.stride_w = (uint16_t)w->stride;
  p.dilation_h = d.dilation_h = (uint16_t)h->dilation, p.dilation_w = d.dilation_w = (uint16_t)w->dilation;
  p.pad_top = d.pad_top = (uint16_t)h->before, p.pad_left = d.pad_left = (uint16_t)w->before;
  return set_block();
}

static void set_values(int plain) {
  const uint32_t taps = (uint32_t)p.kernel_h * p.kernel_w;
  uint32_t c;
  p.multiplier_step = plain || test_chance(70) ? 1 : 0;
  p.in_zero = d.in_zero = test_zero();
  p.out_zero = d.out_zero = test_zero();
  p.clamp_min = -128, p.clamp_max = 127;
  if (!plain) test_clamp(&p.clamp_min, &p.clamp_max);
  d.clamp_min = p.clamp_min, d.clamp_max = p.clamp_max;
  test_bytes(weights, taps * p.out_c, -128, 127);
  for (c = 0; c < p.out_c; ++c) {
    bias[c] = test_chance(5) ? test_between(-2000000000, 2000000000) : test_between(-400000, 400000);
    multipliers[c] = test_multiplier(taps);
  }
  p.weights = weights, p.bias = bias, p.multipliers = multipliers;
  d.stream = packed;
  pack();
}

static uint32_t scratch_bytes(void) {
  const int32_t blocks = ((p.out_h + d.block_h - 1) / d.block_h) * ((p.out_w + d.block_w - 1) / d.block_w);
  return (uint32_t)((plane_h() * plane_w() + 3) / 4 * 4 + 8 * blocks);
}

static uint32_t operands[3];

static void run_case(int32_t number) {
  const uint32_t in_bytes = (uint32_t)p.in_h * p.in_w * p.in_c, out_bytes = (uint32_t)p.out_h * p.out_w * p.out_c;
  uint32_t portable[2];
  test_reset();
  /* Room behind the input for an output in place that is larger. */
  operands[0] = portable[0] = test_block(in_bytes > out_bytes ? in_bytes : out_bytes);
  portable[1] = test_block(out_bytes);
  operands[1] = test_chance(50) ? operands[0] : test_block(out_bytes);
  operands[2] = test_block(scratch_bytes());
  test_bytes(test_at(operands[0]), in_bytes, -128, 127);
  test_run(tml_depthwise_conv2d_s8, &p, portable);
  test_run(tml_depthwise_conv2d_s8_mve, &d, operands);
  test_expect(memcmp(test_at(operands[1]), test_at(portable[1]), out_bytes) == 0 && test_guards_intact(), "depthwise",
              number);
}

static void run_grid(void) {
  int32_t i;
  for (i = 0; i < 3 * TEST_CASES; ++i) {
    const axis h = random_axis(), w = random_axis();
    if (!exists(&h) || !exists(&w) || !set_shape(&h, &w, test_between(1, 9))) continue;
    set_values(0);
    run_case(i);
  }
}

typedef struct layer {
  const char *name;
  axis h, w;
  int32_t channels;
} layer;

/* clang-format off */
static const layer layers[] = {
    {"kws01_1", {25, 3, 1, 1, 1, 1}, {5, 3, 1, 1, 1, 1}, 64},
    {"vww01_1", {48, 3, 1, 1, 1, 1}, {48, 3, 1, 1, 1, 1}, 8},
    {"vww01_3", {48, 3, 2, 1, 0, 1}, {48, 3, 2, 1, 0, 1}, 16},
    {"vww01_5", {24, 3, 1, 1, 1, 1}, {24, 3, 1, 1, 1, 1}, 32},
    {"vww01_7", {24, 3, 2, 1, 0, 1}, {24, 3, 2, 1, 0, 1}, 32},
    {"vww01_9", {12, 3, 1, 1, 1, 1}, {12, 3, 1, 1, 1, 1}, 64},
    {"vww01_11", {12, 3, 2, 1, 0, 1}, {12, 3, 2, 1, 0, 1}, 64},
    {"vww01_13", {6, 3, 1, 1, 1, 1}, {6, 3, 1, 1, 1, 1}, 128},
    {"vww01_23", {6, 3, 2, 1, 0, 1}, {6, 3, 2, 1, 0, 1}, 128},
    {"vww01_25", {3, 3, 1, 1, 1, 1}, {3, 3, 1, 1, 1, 1}, 256},
};
/* clang-format on */

static void measure_layers(void) {
  uint32_t i;
  for (i = 0; i < sizeof layers / sizeof layers[0]; ++i) {
    if (!set_shape(&layers[i].h, &layers[i].w, layers[i].channels)) {
      test_expect(0, "no block for layer", (int32_t)i);
      continue;
    }
    set_values(1);
    run_case(-1);
    test_measure(layers[i].name, tml_depthwise_conv2d_s8_mve, &d, operands);
  }
}

int main(void) {
  run_grid();
  measure_layers();
  return test_report();
}
