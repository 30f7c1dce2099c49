/* fully_connected_s16_dsp.c: tml_fully_connected_s16_dsp against the portable kernel on the core itself, and the
 * instructions of the layers of ad01. See kernel_test.h. */
#include "conv_s16_cases.h"

static uint32_t packed[MAX_WEIGHTS / 4 + 16 * MAX_CHANNELS];
static tml_fully_connected_s16_dsp_params variant;
static uint32_t operands[3];

/* As the record describes it, byte by byte. Returns K. */
static uint32_t set_variant(void) {
  const tml_conv2d_s16_params *p = &portable;
  const uint32_t taps = p->in_c, k = (taps + 3) / 4 * 4;
  tml_fully_connected_s16_dsp_params v = {0};
  uint32_t *to = packed;
  uint32_t c, tap, i, j;
  for (c = 0; c < p->out_c; c += 4) {
    for (i = c; i < c + 4; ++i) *to++ = i < p->out_c ? (uint32_t)bias[i] : 0;
    for (tap = 0; tap < k; tap += 2) {
      for (i = c; i < c + 4; i += 2) {
        uint8_t bytes[4] = {0, 0, 0, 0};
        for (j = 0; j < 4; ++j)
          if (i + j % 2 < p->out_c && tap + j / 2 < taps) bytes[j] = (uint8_t)weights[(i + j % 2) * taps + tap + j / 2];
        *to++ = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
      }
    }
    for (i = c; i < c + 4; ++i) *to++ = i < p->out_c ? (uint32_t)multipliers[i * p->multiplier_step] : 0;
  }
  v.stream = packed;
  v.rows = (uint32_t)p->batches * p->out_w;
  v.in_features = p->in_c;
  v.out_features = p->out_c;
  v.clamp_min = p->clamp_min;
  v.clamp_max = p->clamp_max;
  variant = v;
  return k;
}

static void run_case(int32_t number) {
  const tml_conv2d_s16_params *p = &portable;
  const uint32_t bytes = 2u * p->batches * p->out_w * p->out_c, expected = test_block(bytes);
  const uint32_t portable_operands[2] = {x, expected}, k = set_variant();
  test_run(tml_conv2d_s16, &portable, portable_operands);
  operands[0] = x;
  operands[1] = test_block(bytes);
  if (p->in_c % 4 != 0) operands[2] = test_block(2 * k);
  test_run(tml_fully_connected_s16_dsp, &variant, operands);
  test_expect(memcmp(test_at(operands[1]), test_at(expected), bytes) == 0 && test_guards_intact(), "case", number);
}

static void set_layer(int32_t rows, int32_t in_features, int32_t out_features, int plain) {
  const axis one = {1, 1, 1, 1, 0, 0};
  axis of_rows = random_axis();
  of_rows.in = rows, of_rows.kernel = of_rows.stride = of_rows.dilation = 1, of_rows.before = of_rows.after = 0;
  if (!exists(&of_rows)) return;
  set_shape(&one, &of_rows, in_features, out_features, 1);
  if (plain) portable.batches = 1;
  set_values(plain);
}

int main(void) {
  static const int32_t shapes[4][2] = {{640, 64}, {128, 128}, {128, 8}, {8, 128}};
  static const char *const names[4] = {"640 to 64", "128 to 128", "128 to 8", "8 to 128"};
  int32_t i;
  for (i = 0; i < 2 * TEST_CASES; ++i) {
    set_layer(test_between(1, 3), test_between(1, test_chance(20) ? 200 : 40), test_between(1, 13), 0);
    run_case(i);
  }
  for (i = 0; i < 4; ++i) {
    set_layer(1, shapes[i][0], shapes[i][1], 1);
    run_case(-1);
    test_measure(names[i], tml_fully_connected_s16_dsp, &variant, operands);
  }
  return test_report();
}
