/* portable.c: the portable convolutions against sums written from the header's definition, on the target, and the
 * instructions of the layers of small models on cores without DSP extension.
 */
#include "kernel_test.h"

enum { MAX_WEIGHTS = 65536, MAX_CHANNELS = 640 };

static int8_t weights[MAX_WEIGHTS * 2];
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static tml_conv2d_params p;
static tml_fully_connected_params f;

static int8_t finish(int64_t acc, uint32_t c) {
  const int64_t product = acc * multipliers[p.multiplier_step ? c : 0];
  const int64_t y = p.out_zero + ((product + ((int64_t)1 << (31 - p.shift))) >> (32 - p.shift));
  return (int8_t)(y < p.clamp_min ? p.clamp_min : y > p.clamp_max ? p.clamp_max : y);
}

/* One output of a convolution whose weights stand at w, `step` bytes from tap to tap. */
static int8_t reference(const int8_t *x, uint32_t oy, uint32_t ox, uint32_t c, uint32_t first, uint32_t depth) {
  const uint32_t is_depthwise = depth == 0;
  int64_t acc = bias[c];
  uint32_t ky, kx, i;
  for (ky = 0; ky < p.kernel_h; ++ky) {
    for (kx = 0; kx < p.kernel_w; ++kx) {
      const int32_t iy = (int32_t)(oy * p.stride_h + ky * p.dilation_h) - p.pad_top;
      const int32_t ix = (int32_t)(ox * p.stride_w + kx * p.dilation_w) - p.pad_left;
      const uint32_t inside = iy >= 0 && ix >= 0 && iy < p.in_h && ix < p.in_w;
      for (i = 0; i < (is_depthwise ? 1 : depth); ++i) {
        const uint32_t tap = ky * p.kernel_w + kx;
        const int8_t w = weights[is_depthwise ? tap * p.out_c + c : (c * p.kernel_h * p.kernel_w + tap) * depth + i];
        acc += w * (inside ? x[((uint32_t)iy * p.in_w + (uint32_t)ix) * p.in_c + first + i] : p.in_zero);
      }
    }
  }
  return finish(acc, c);
}

static void shape(int in_h, int in_w, int in_c, int out_c, int kernel_h, int kernel_w, int stride, int pad_h, int pad_w,
                  int end) {
  memset(&p, 0, sizeof p);
  p.batches = p.groups = p.dilation_h = p.dilation_w = 1;
  p.in_h = (uint16_t)in_h, p.in_w = (uint16_t)in_w, p.in_c = (uint16_t)in_c, p.out_c = (uint16_t)out_c;
  p.kernel_h = (uint16_t)kernel_h, p.kernel_w = (uint16_t)kernel_w;
  p.stride_h = p.stride_w = (uint16_t)stride;
  p.pad_top = (uint16_t)pad_h, p.pad_left = (uint16_t)pad_w;
  p.out_h = (uint16_t)((in_h + pad_h + pad_h + end - kernel_h) / stride + 1);
  p.out_w = (uint16_t)((in_w + pad_w + pad_w + end - kernel_w) / stride + 1);
  p.weights = weights, p.bias = bias, p.multipliers = multipliers;
}

static void values(uint32_t taps) {
  uint32_t c;
  p.multiplier_step = test_chance(70) ? 1 : 0;
  p.in_zero = test_zero();
  p.out_zero = test_zero();
  test_clamp(&p.clamp_min, &p.clamp_max);
  test_bytes(weights, taps * p.out_c, -128, 127);
  for (c = 0; c < p.out_c; ++c) {
    bias[c] = test_between(-400000, 400000);
    multipliers[c] = test_multiplier(taps);
  }
}

static void compare(int32_t number, uint32_t is_depthwise) {
  const uint32_t per_group = (uint32_t)p.out_c / p.groups, depth = (uint32_t)p.in_c / p.groups;
  const uint32_t out_bytes = (uint32_t)p.out_h * p.out_w * p.out_c, in_bytes = (uint32_t)p.in_h * p.in_w * p.in_c;
  const uint32_t pitch = p.out_c + p.out_gap;
  uint32_t operands[2], i, bad = 0;
  int8_t junk;
  test_reset();
  operands[0] = test_block(in_bytes);
  operands[1] = test_block(out_bytes / p.out_c * pitch);
  junk = *test_at(operands[1]);
  test_bytes(test_at(operands[0]), in_bytes, -128, 127);
  test_run(is_depthwise ? tml_depthwise_conv2d_s8 : tml_conv2d_s8, &p, operands);
  for (i = 0; i < out_bytes / p.out_c * pitch; ++i) {
    const uint32_t c = i % pitch, pixel = i / pitch;
    if (c >= p.out_c) {
      bad += test_at(operands[1])[i] != junk;
      continue;
    }
    bad += test_at(operands[1])[i] != reference(test_at(operands[0]), pixel / p.out_w, pixel % p.out_w, c,
                                                is_depthwise ? c / per_group : c / per_group * depth,
                                                is_depthwise ? 0 : depth);
  }
  test_expect(bad == 0, is_depthwise ? "portable depthwise" : "portable conv2d", number);
  test_expect(test_guards_intact(), "portable guards", number);
}

static void random_case(int32_t number) {
  const uint32_t is_depthwise = test_chance(35);
  const int groups = test_chance(15) ? 2 : 1, depth = test_chance(70) ? test_between(1, 9) : test_between(10, 40);
  const int kernel_h = test_between(1, 4), kernel_w = test_between(1, 4), pad = test_between(0, 2);
  const int out_c = is_depthwise ? depth : groups * test_between(1, 9), in_c = is_depthwise ? depth : groups * depth;
  shape(kernel_h + test_between(0, 6), kernel_w + test_between(0, 6), in_c, out_c, kernel_h, kernel_w,
        test_between(1, 3), pad, pad, test_between(0, 2));
  if (test_chance(20) && p.in_h > 2 * kernel_h && p.in_w > 2 * kernel_w) {
    p.dilation_h = p.dilation_w = 2;
    p.out_h = (uint16_t)((p.in_h - 2 * kernel_h + 1) / p.stride_h + 1);
    p.out_w = (uint16_t)((p.in_w - 2 * kernel_w + 1) / p.stride_w + 1);
  }
  p.groups = (uint16_t)(is_depthwise ? depth : groups);
  if (test_chance(15)) p.shift = (uint8_t)test_between(1, 3);
  if (!is_depthwise && groups == 1 && test_chance(30)) p.out_gap = (uint16_t)test_between(1, 20);
  values((uint32_t)(kernel_h * kernel_w) * (is_depthwise ? 1u : (uint32_t)depth));
  compare(number, is_depthwise);
}

static void measure_conv(const char *name, uint32_t is_depthwise) {
  uint32_t operands[2];
  values((uint32_t)p.kernel_h * p.kernel_w * (is_depthwise ? 1u : p.in_c));
  p.clamp_min = -128, p.clamp_max = 127;
  if (is_depthwise) p.groups = p.in_c;
  test_reset();
  operands[0] = test_block((uint32_t)p.in_h * p.in_w * p.in_c);
  operands[1] = test_block((uint32_t)p.out_h * p.out_w * p.out_c);
  test_measure(name, is_depthwise ? tml_depthwise_conv2d_s8 : tml_conv2d_s8, &p, operands);
}

static void measure_product(const char *name, uint32_t in, uint32_t out) {
  uint32_t operands[2];
  f.weights = weights, f.bias = bias, f.multipliers = multipliers;
  f.rows = 1, f.in_features = in, f.out_features = out;
  f.multiplier_step = 1, f.clamp_min = -128, f.clamp_max = 127;
  test_reset();
  operands[0] = test_block(in);
  operands[1] = test_block(out);
  test_measure(name, tml_fully_connected_s8, &f, operands);
}

static void measure_layers(void) {
  shape(49, 10, 1, 64, 10, 4, 2, 4, 1, 1), measure_conv("kws01_0 10x4x1-64 of 49x10", 0);
  shape(25, 5, 64, 64, 3, 3, 1, 1, 1, 0), measure_conv("kws01_1 25x5x64", 1);
  shape(25, 5, 64, 64, 1, 1, 1, 0, 0, 0), measure_conv("kws01_2 1x1x64-64 of 25x5", 0);
  shape(96, 96, 3, 8, 3, 3, 2, 0, 0, 1), measure_conv("vww01_0 3x3x3-8 of 96x96/2", 0);
  shape(48, 48, 8, 8, 3, 3, 1, 1, 1, 0), measure_conv("vww01_1 48x48x8", 1);
  shape(48, 48, 8, 16, 1, 1, 1, 0, 0, 0), measure_conv("vww01_2 1x1x8-16 of 48x48", 0);
  shape(48, 48, 16, 16, 3, 3, 2, 0, 0, 1), measure_conv("vww01_3 48x48x16/2", 1);
  shape(6, 6, 128, 128, 3, 3, 1, 1, 1, 0), measure_conv("vww01_13 6x6x128", 1);
  shape(6, 6, 128, 128, 1, 1, 1, 0, 0, 0), measure_conv("vww01_14 1x1x128-128 of 6x6", 0);
  shape(3, 3, 256, 256, 1, 1, 1, 0, 0, 0), measure_conv("vww01_26 1x1x256-256 of 3x3", 0);
  shape(32, 32, 3, 16, 3, 3, 1, 1, 1, 0), measure_conv("ic01_0 3x3x3-16 of 32x32", 0);
  shape(32, 32, 16, 16, 3, 3, 1, 1, 1, 0), measure_conv("ic01_1 3x3x16-16 of 32x32", 0);
  shape(16, 16, 32, 32, 3, 3, 1, 1, 1, 0), measure_conv("ic01_5 3x3x32-32 of 16x16", 0);
  shape(8, 8, 64, 64, 3, 3, 1, 1, 1, 0), measure_conv("ic01_9 3x3x64-64 of 8x8", 0);
  measure_product("ad01_0 640-128", 640, 128);
  measure_product("ad01_1 128-128", 128, 128);
  measure_product("ad01_5 8-128", 8, 128);
}

static void measure_add(const char *name, uint32_t count) {
  static tml_binary_params add;
  uint32_t operands[3], i;
  for (i = 0; i < TML_MAX_DIMS; ++i) add.dims[i] = add.a_strides[i] = add.b_strides[i] = 1;
  add.dims[TML_MAX_DIMS - 1] = count;
  add.a_multiplier = 1 << 19, add.b_multiplier = 1 << 18, add.shift = 20;
  add.clamp_min = -128, add.clamp_max = 127;
  test_reset();
  operands[0] = operands[2] = test_block(count);
  operands[1] = test_block(count);
  test_measure(name, tml_add_s8, &add, operands);
}

int main(void) {
  int32_t i;
  for (i = 0; i < TEST_CASES / 2; ++i) random_case(i);
  measure_layers();
  measure_add("ic01_3 add of 16384", 16384);
  return test_report();
}
