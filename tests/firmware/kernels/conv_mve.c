/* conv_mve.c: tml_conv2d_s8_mve against tml_conv2d_s8 and tml_add_s8 on the core itself, and the instructions of the
 * layers of kws01, ic01 and vww01. See kernel_test.h. */
#include "mve_packing.h"
#include "kernel_test.h"

enum { MAX_WEIGHTS = 65536, MAX_CHANNELS = 256 };

static int8_t weights[MAX_WEIGHTS];
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static uint32_t packed[MAX_WEIGHTS / 4 + 16 * MAX_CHANNELS];
static tml_conv2d_params portable;
static tml_conv2d_dsp_params variant;
static tml_binary_params add;
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

static void set_shape(const axis *h, const axis *w, int32_t in_c, int32_t out_c) {
  tml_conv2d_params p = {0};
  p.batches = test_chance(20) ? 2 : 1;
  p.in_h = (uint16_t)h->in, p.in_w = (uint16_t)w->in, p.in_c = (uint16_t)in_c;
  p.out_h = (uint16_t)out_extent(h), p.out_w = (uint16_t)out_extent(w), p.out_c = (uint16_t)out_c;
  p.groups = 1;
  p.kernel_h = (uint16_t)h->kernel, p.kernel_w = (uint16_t)w->kernel;
  p.stride_h = (uint16_t)h->stride, p.stride_w = (uint16_t)w->stride;
  p.dilation_h = (uint16_t)h->dilation, p.dilation_w = (uint16_t)w->dilation;
  p.pad_top = (uint16_t)h->before, p.pad_left = (uint16_t)w->before;
  portable = p;
}

/* Random constants and data of the shape. Returns 0 when they cannot be packed. */
static int set_values(int full_range) {
  tml_conv2d_params *p = &portable;
  const uint32_t taps = (uint32_t)p->kernel_h * p->kernel_w * p->in_c;
  uint32_t c, k, count;
  p->multiplier_step = (uint8_t)(full_range || test_chance(70));
  p->in_zero = test_zero();
  p->out_zero = test_zero();
  test_clamp(&p->clamp_min, &p->clamp_max);
  if (full_range) p->clamp_min = -128, p->clamp_max = 127;
  test_reset();
  count = (uint32_t)p->batches * p->in_h * p->in_w * p->in_c;
  x = test_block(count);
  test_bytes(test_at(x), count, -128, 127);
  test_bytes(weights, taps * p->out_c, -128, 127);
  for (c = 0; c < p->out_c; ++c) {
    int32_t sum = 0;
    for (k = 0; k < taps; ++k) sum += weights[c * taps + k];
    bias[c] = test_between(-20000, 20000) - p->in_zero * sum;
    multipliers[c] = test_multiplier(taps);
  }
  p->weights = weights;
  p->bias = bias;
  p->multipliers = multipliers;
  pack_mve(weights, bias, multipliers, p->multiplier_step, p->out_c, taps, 4, packed);
  return 1;
}

static void set_variant(void) {
  const tml_conv2d_params *p = &portable;
  tml_conv2d_dsp_params v = {0};
  v.stream = packed;
  v.batches = p->batches;
  v.in_h = p->in_h, v.in_w = p->in_w, v.in_c = p->in_c;
  v.out_h = p->out_h, v.out_w = p->out_w, v.out_c = p->out_c;
  v.kernel_h = p->kernel_h, v.kernel_w = p->kernel_w;
  v.stride_h = p->stride_h, v.stride_w = p->stride_w;
  v.dilation_h = p->dilation_h, v.dilation_w = p->dilation_w;
  v.pad_top = p->pad_top, v.pad_left = p->pad_left;
  v.in_zero = p->in_zero, v.out_zero = p->out_zero;
  v.clamp_min = p->clamp_min, v.clamp_max = p->clamp_max;
  variant = v;
}

static void set_add(uint32_t count) {
  tml_binary_params a = {0};
  uint32_t i;
  for (i = 0; i < TML_MAX_DIMS; ++i) a.dims[i] = 1;
  a.dims[TML_MAX_DIMS - 1] = count;
  a.a_strides[TML_MAX_DIMS - 1] = a.b_strides[TML_MAX_DIMS - 1] = 1;
  a.a_multiplier = test_between(-100000, 200000), a.b_multiplier = test_between(-100000, 200000);
  a.shift = (uint8_t)test_between(1, 20);
  a.a_zero = portable.out_zero, a.b_zero = test_zero(), a.out_zero = test_zero();
  test_clamp(&a.clamp_min, &a.clamp_max);
  add = a;
  variant.add_bias = ((int32_t)1 << (a.shift - 1)) - a.a_zero * a.a_multiplier - a.b_zero * a.b_multiplier;
  variant.add_multiplier = a.a_multiplier, variant.residual_multiplier = a.b_multiplier;
  variant.add_shift = a.shift, variant.add_zero = a.out_zero;
  variant.add_min = a.clamp_min, variant.add_max = a.clamp_max;
}

/* From the kernel's description. */
static uint32_t scratch_bytes(void) {
  const tml_conv2d_dsp_params *v = &variant;
  const uint32_t k = ((uint32_t)v->kernel_h * v->kernel_w * v->in_c + 7) / 8 * 8;
  const int dense = v->kernel_h == 1 && v->kernel_w == 1 && v->in_c % 8 == 0 && v->pad_top == 0 && v->pad_left == 0 &&
                    (v->out_h - 1) * v->stride_h < v->in_h && (v->out_w - 1) * v->stride_w < v->in_w;
  return (dense ? 0 : 2 * k) + (v->add_shift ? 2u * v->out_c : 0);
}

static uint32_t operands[4];

/* Both kernels, the variant's operands last. */
static void run_case(int adds, int32_t number) {
  const uint32_t count = (uint32_t)portable.batches * portable.out_h * portable.out_w * portable.out_c;
  const uint32_t expected = test_block(count), residual = test_block(count);
  const uint32_t portable_operands[2] = {x, expected};
  const uint32_t add_operands[3] = {expected, residual, expected};
  const int in_place = test_chance(50);
  uint32_t n = 0, y, gap = 0;
  int8_t junk;
  set_variant();
  test_run(tml_conv2d_s8, &portable, portable_operands);
  operands[n++] = x;
  if (adds) {
    set_add(count);
    test_bytes(test_at(residual), count, -128, 127);
    test_run(tml_add_s8, &add, add_operands);
    operands[n++] = residual;
  }
  if (!adds && number >= 0 && variant.clamp_min == -128 && variant.clamp_max == 127 && test_chance(40)) {
    variant.add_bias = (int32_t)(gap = (uint32_t)test_between(1, 40));
  }
  operands[n++] = y = adds && in_place ? residual : test_block(count / portable.out_c * (portable.out_c + gap));
  junk = *test_at(y);
  operands[n++] = test_block(scratch_bytes());
  test_run(tml_conv2d_s8_mve, &variant, operands);
  test_expect(test_equal_runs(test_at(y), test_at(expected), count, portable.out_c, portable.out_c + gap, junk) &&
                  test_guards_intact(),
              "conv2d case", number);
}

static void run_grid(void) {
  static const int32_t depths[8] = {1, 2, 3, 4, 5, 8, 16, 33};
  int32_t i;
  for (i = 0; i < 2 * TEST_CASES; ++i) {
    const axis h = random_axis(), w = random_axis();
    if (!exists(&h) || !exists(&w)) continue;
    set_shape(&h, &w, depths[test_between(0, 7)], test_between(1, 9));
    if (set_values(0)) run_case(test_chance(30), i);
  }
}

typedef struct layer {
  const char *name;
  axis h, w;
  int32_t in_c, out_c, adds;
} layer;

/* clang-format off */
static const layer layers[] = {
    {"kws01_0", {49, 10, 2, 1, 4, 5}, {10, 4, 2, 1, 1, 1}, 1, 64, 0},
    {"kws01_2", {25, 1, 1, 1, 0, 0}, {5, 1, 1, 1, 0, 0}, 64, 64, 0},
    {"ic01_0", {32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 3, 16, 0},
    {"ic01_1", {32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 16, 16, 0},
    {"ic01_2+3", {32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 16, 16, 1},
    {"ic01_4", {32, 3, 2, 1, 0, 1}, {32, 3, 2, 1, 0, 1}, 16, 32, 0},
    {"ic01_5", {16, 3, 1, 1, 1, 1}, {16, 3, 1, 1, 1, 1}, 32, 32, 0},
    {"ic01_6", {32, 1, 2, 1, 0, 0}, {32, 1, 2, 1, 0, 0}, 16, 32, 0},
    {"ic01_8", {16, 3, 2, 1, 0, 1}, {16, 3, 2, 1, 0, 1}, 32, 64, 0},
    {"ic01_9", {8, 3, 1, 1, 1, 1}, {8, 3, 1, 1, 1, 1}, 64, 64, 0},
    {"ic01_10", {16, 1, 2, 1, 0, 0}, {16, 1, 2, 1, 0, 0}, 32, 64, 0},
    {"vww01_0", {96, 3, 2, 1, 0, 1}, {96, 3, 2, 1, 0, 1}, 3, 8, 0},
    {"vww01_2", {48, 1, 1, 1, 0, 0}, {48, 1, 1, 1, 0, 0}, 8, 16, 0},
    {"vww01_4", {24, 1, 1, 1, 0, 0}, {24, 1, 1, 1, 0, 0}, 16, 32, 0},
    {"vww01_6", {24, 1, 1, 1, 0, 0}, {24, 1, 1, 1, 0, 0}, 32, 32, 0},
    {"vww01_8", {12, 1, 1, 1, 0, 0}, {12, 1, 1, 1, 0, 0}, 32, 64, 0},
    {"vww01_10", {12, 1, 1, 1, 0, 0}, {12, 1, 1, 1, 0, 0}, 64, 64, 0},
    {"vww01_12", {6, 1, 1, 1, 0, 0}, {6, 1, 1, 1, 0, 0}, 64, 128, 0},
    {"vww01_14", {6, 1, 1, 1, 0, 0}, {6, 1, 1, 1, 0, 0}, 128, 128, 0},
    {"vww01_24", {3, 1, 1, 1, 0, 0}, {3, 1, 1, 1, 0, 0}, 128, 256, 0},
    {"vww01_26", {3, 1, 1, 1, 0, 0}, {3, 1, 1, 1, 0, 0}, 256, 256, 0},
};
/* clang-format on */

static void measure_layers(void) {
  uint32_t i;
  for (i = 0; i < sizeof layers / sizeof layers[0]; ++i) {
    const layer *l = &layers[i];
    set_shape(&l->h, &l->w, l->in_c, l->out_c);
    portable.batches = 1;
    while (!set_values(1)) {
    }
    run_case(l->adds, -1);
    test_measure(l->name, tml_conv2d_s8_mve, &variant, operands);
  }
}

int main(void) {
  run_grid();
  measure_layers();
  return test_report();
}
