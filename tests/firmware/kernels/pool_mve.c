/* pool_mve.c: average and max pooling for Helium against the portable kernels on the core itself, and the instructions
 * of layers of kws01, ic01, vww01 and SqueezeNet, the portable kernel's beside them. See kernel_test.h. */
#include "kernel_test.h"

static tml_pool2d_params p;
static int32_t multipliers[256];
static uint32_t operands[2];

static uint16_t random_axis(uint16_t *in, uint16_t *kernel, uint16_t *stride, uint16_t *dilation, uint16_t *pad) {
  for (;;) {
    const int32_t after = test_between(0, 2);
    int32_t reach;
    *in = (uint16_t)test_between(1, 9);
    *kernel = (uint16_t)test_between(1, 4);
    *stride = (uint16_t)test_between(1, 3);
    *dilation = (uint16_t)(test_chance(80) ? 1 : 2);
    *pad = (uint16_t)test_between(0, 2);
    reach = *in + *pad + after - (*kernel - 1) * *dilation - 1;
    if (reach >= 0) return (uint16_t)(reach / *stride + 1);
  }
}

static void set_values(uint32_t taps) {
  uint32_t i;
  p.batches = 1;
  p.count_min = 1;
  p.multipliers = multipliers;
  for (i = 0; i < taps; ++i) {
    multipliers[i] = test_chance(10) ? (int32_t)(test_random() >> 1) : (int32_t)(0x7FFFFFFFu / (i + 1));
  }
  p.in_zero = test_zero(), p.out_zero = test_zero();
  test_clamp(&p.clamp_min, &p.clamp_max);
}

static void run_case(int32_t number) {
  const uint32_t in = (uint32_t)p.in_h * p.in_w * p.channels, out = (uint32_t)p.out_h * p.out_w * p.channels;
  uint32_t portable[2];
  test_reset();
  operands[0] = portable[0] = test_block(in);
  portable[1] = test_block(out);
  operands[1] = test_block(out);
  test_bytes(test_at(operands[0]), in, -128, 127);
  test_run(tml_avg_pool2d_s8, &p, portable);
  test_run(tml_avg_pool2d_s8_mve, &p, operands);
  test_expect(memcmp(test_at(operands[1]), test_at(portable[1]), out) == 0 && test_guards_intact(), "avg_pool", number);
  test_run(tml_max_pool2d_s8, &p, portable);
  test_run(tml_max_pool2d_s8_mve, &p, operands);
  test_expect(memcmp(test_at(operands[1]), test_at(portable[1]), out) == 0 && test_guards_intact(), "max_pool", number);
}

static void measure_global(const char *name, int32_t h, int32_t w, int32_t channels) {
  memset(&p, 0, sizeof p);
  p.in_h = p.kernel_h = (uint16_t)h, p.in_w = p.kernel_w = (uint16_t)w, p.channels = (uint16_t)channels;
  p.out_h = p.out_w = p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
  set_values((uint32_t)(h * w));
  run_case(-1);
  test_measure("portable", tml_avg_pool2d_s8, &p, operands);
  test_measure(name, tml_avg_pool2d_s8_mve, &p, operands);
}

static void measure_max(const char *name, int32_t size, int32_t channels, int32_t kernel, int32_t pad) {
  memset(&p, 0, sizeof p);
  p.in_h = p.in_w = (uint16_t)size, p.channels = (uint16_t)channels;
  p.kernel_h = p.kernel_w = (uint16_t)kernel, p.stride_h = p.stride_w = 2, p.dilation_h = p.dilation_w = 1;
  p.pad_top = p.pad_left = (uint16_t)pad;
  p.out_h = p.out_w = (uint16_t)((size + 2 * pad - kernel) / 2 + 1);
  set_values(0);
  p.clamp_min = -128, p.clamp_max = 127;
  run_case(-1);
  test_measure("portable", tml_max_pool2d_s8, &p, operands);
  test_measure("DSP", tml_max_pool2d_s8_dsp, &p, operands);
  test_measure(name, tml_max_pool2d_s8_mve, &p, operands);
}

int main(void) {
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) {
    memset(&p, 0, sizeof p);
    p.channels = (uint16_t)test_between(1, test_chance(80) ? 20 : 70);
    p.out_h = random_axis(&p.in_h, &p.kernel_h, &p.stride_h, &p.dilation_h, &p.pad_top);
    p.out_w = random_axis(&p.in_w, &p.kernel_w, &p.stride_w, &p.dilation_w, &p.pad_left);
    set_values((uint32_t)p.kernel_h * p.kernel_w);
    run_case(i);
  }
  measure_global("kws01_9 average of 25x5x64", 25, 5, 64);
  measure_global("ic01_12 average of 8x8x64", 8, 8, 64);
  measure_global("vww01_27 average of 3x3x256", 3, 3, 256);
  measure_max("max 3x3/2 of 27x27x96", 27, 96, 3, 0);
  measure_max("max 3x3/2 of 13x13x256", 13, 256, 3, 0);
  measure_max("max 3x3/2 of 28x28x20, padded", 28, 20, 3, 1);
  measure_max("max 2x2/2 of 32x32x16", 32, 16, 2, 0);
  return test_report();
}
