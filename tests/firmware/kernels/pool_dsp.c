/* pool_dsp.c: average and max pooling for the DSP extension against the portable kernel, on the target. */
#include "kernel_test.h"

enum { MAX_TAPS = 1024 };

static int32_t multipliers[MAX_TAPS];
static tml_pool2d_params p;

static void shape(int in_h, int in_w, int channels, int kernel_h, int kernel_w, int stride, int pad) {
  uint32_t i;
  memset(&p, 0, sizeof p);
  p.batches = 1, p.dilation_h = p.dilation_w = 1, p.count_min = 1;
  p.in_h = (uint16_t)in_h, p.in_w = (uint16_t)in_w, p.channels = (uint16_t)channels;
  p.kernel_h = (uint16_t)kernel_h, p.kernel_w = (uint16_t)kernel_w;
  p.stride_h = p.stride_w = (uint16_t)stride;
  p.pad_top = p.pad_left = (uint16_t)pad;
  p.out_h = (uint16_t)((in_h + 2 * pad - kernel_h) / stride + 1);
  p.out_w = (uint16_t)((in_w + 2 * pad - kernel_w) / stride + 1);
  p.multipliers = multipliers;
  p.in_zero = test_zero();
  p.out_zero = test_zero();
  p.clamp_min = -128, p.clamp_max = 127;
  for (i = 0; i < MAX_TAPS; ++i) multipliers[i] = (int32_t)(0x7FFFFFFFu / (i + 1));
}

static void blocks(uint32_t *operands) {
  operands[0] = test_block((uint32_t)p.in_h * p.in_w * p.channels);
  operands[1] = test_block((uint32_t)p.out_h * p.out_w * p.channels);
}

static void compare(int32_t number) {
  const uint32_t out_bytes = (uint32_t)p.out_h * p.out_w * p.channels;
  uint32_t reference[2], variant[2];
  test_reset();
  blocks(reference);
  variant[0] = reference[0];
  variant[1] = test_block(out_bytes);
  test_bytes(test_at(reference[0]), (uint32_t)p.in_h * p.in_w * p.channels, -128, 127);
  test_run(tml_avg_pool2d_s8, &p, reference);
  test_run(tml_avg_pool2d_s8_dsp, &p, variant);
  test_expect(!memcmp(test_at(reference[1]), test_at(variant[1]), out_bytes), "average pool", number);
  test_run(tml_max_pool2d_s8, &p, reference);
  test_run(tml_max_pool2d_s8_dsp, &p, variant);
  test_expect(!memcmp(test_at(reference[1]), test_at(variant[1]), out_bytes), "max pool", number);
  test_expect(test_guards_intact(), "pool guards", number);
}

static void measure(const char *name, tml_kernel kernel) {
  uint32_t operands[2];
  test_reset();
  blocks(operands);
  test_measure(name, kernel, &p, operands);
}

int main(void) {
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) {
    const int in_h = test_between(1, 20), in_w = test_between(1, 30), global = test_chance(30);
    const int kernel_h = global ? in_h : test_between(1, in_h), kernel_w = global ? in_w : test_between(1, in_w);
    shape(in_h, in_w, test_between(4, 19), kernel_h, kernel_w, test_between(1, 3),
          test_between(0, kernel_h < kernel_w ? kernel_h - 1 : kernel_w - 1));
    test_clamp(&p.clamp_min, &p.clamp_max);
    compare(i);
  }
  shape(25, 5, 64, 25, 5, 1, 0), measure("kws01_9 25x5x64", tml_avg_pool2d_s8_dsp);
  shape(8, 8, 64, 8, 8, 1, 0), measure("ic01_12 8x8x64", tml_avg_pool2d_s8_dsp);
  shape(3, 3, 256, 3, 3, 1, 0), measure("vww01_27 3x3x256", tml_avg_pool2d_s8_dsp);
  shape(32, 32, 16, 2, 2, 2, 0), measure("max 2x2/2 of 32x32x16, portable", tml_max_pool2d_s8);
  shape(32, 32, 16, 2, 2, 2, 0), measure("max 2x2/2 of 32x32x16", tml_max_pool2d_s8_dsp);
  shape(17, 17, 64, 3, 3, 2, 0), measure("max 3x3/2 of 17x17x64", tml_max_pool2d_s8_dsp);
  shape(8, 8, 128, 2, 2, 2, 0), measure("max 2x2/2 of 8x8x128", tml_max_pool2d_s8_dsp);
  return test_report();
}
