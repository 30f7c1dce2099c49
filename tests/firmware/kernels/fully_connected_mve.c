/* fully_connected_mve.c: the fully connected kernel for Helium against the portable one on the core itself, and the
 * instructions of ad01's and other models' layers. See kernel_test.h. */
#include "mve_packing.h"
#include "kernel_test.h"

enum { MAX_WEIGHTS = 640 * 128, MAX_CHANNELS = 640 };

static int8_t weights[MAX_WEIGHTS];
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static uint32_t packed[MAX_WEIGHTS / 4 + 8 * MAX_CHANNELS];
static tml_fully_connected_params portable;
static tml_fully_connected_dsp_params variant;

/* Random constants of the shape; 0 when they cannot be packed. */
static int set_values(int full_range) {
  tml_fully_connected_params *p = &portable;
  const uint32_t taps = p->in_features;
  uint32_t c, k;
  p->multiplier_step = (uint8_t)(full_range || test_chance(70));
  p->in_zero = test_zero();
  p->out_zero = test_zero();
  test_clamp(&p->clamp_min, &p->clamp_max);
  if (full_range) p->clamp_min = -128, p->clamp_max = 127;
  test_bytes(weights, taps * p->out_features, -128, 127);
  for (c = 0; c < p->out_features; ++c) {
    int32_t sum = 0;
    for (k = 0; k < taps; ++k) sum += weights[c * taps + k];
    bias[c] = test_between(-20000, 20000) - p->in_zero * sum;
    multipliers[c] = test_multiplier(taps);
  }
  p->weights = weights, p->bias = bias, p->multipliers = multipliers;
  pack_mve(weights, bias, multipliers, p->multiplier_step, p->out_features, taps, 8, packed);
  variant.stream = packed;
  variant.rows = p->rows, variant.in_features = p->in_features, variant.out_features = p->out_features;
  variant.out_zero = p->out_zero, variant.clamp_min = p->clamp_min, variant.clamp_max = p->clamp_max;
  return 1;
}

static void check(tml_kernel kernel, const uint32_t *operands, uint32_t expected, const char *what, int32_t number) {
  const uint32_t count = portable.rows * portable.out_features;
  test_run(kernel, &variant, operands);
  test_expect(memcmp(test_at(operands[1]), test_at(expected), count) == 0 && test_guards_intact(), what, number);
}

static uint32_t operands[3];

static void run_case(int32_t number) {
  const uint32_t in = portable.rows * portable.in_features, out = portable.rows * portable.out_features;
  uint32_t x, expected, portable_operands[2];
  test_reset();
  x = portable_operands[0] = test_block(in);
  expected = portable_operands[1] = test_block(out);
  test_bytes(test_at(x), in, -128, 127);
  test_run(tml_fully_connected_s8, &portable, portable_operands);
  operands[0] = x;
  operands[1] = test_block(out);
  operands[2] = test_block((portable.in_features + 7) / 8 * 8);
  check(tml_fully_connected_s8_mve, operands, expected, "case", number);
}

static void run_grid(void) {
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) {
    memset(&portable, 0, sizeof portable);
    portable.rows = (uint32_t)test_between(1, 3);
    portable.in_features = (uint32_t)(test_chance(50) ? 8 * test_between(1, 40) : test_between(1, 160));
    portable.out_features = (uint32_t)test_between(1, 19);
    if (set_values(0)) run_case(i);
  }
}

static void measure_layer(const char *name, uint32_t in, uint32_t out) {
  memset(&portable, 0, sizeof portable);
  portable.rows = 1, portable.in_features = in, portable.out_features = out;
  while (!set_values(1)) {
  }
  run_case(-1);
  test_measure(name, tml_fully_connected_s8_mve, &variant, operands);
}

int main(void) {
  run_grid();
  measure_layer("ad01_0", 640, 128);
  measure_layer("ad01_1", 128, 128);
  measure_layer("ad01_4", 128, 8);
  measure_layer("ad01_5", 8, 128);
  measure_layer("ad01_9", 128, 640);
  measure_layer("kws01_11", 64, 12);
  measure_layer("ic01_14", 64, 10);
  measure_layer("vww01_29", 256, 2);
  return test_report();
}
