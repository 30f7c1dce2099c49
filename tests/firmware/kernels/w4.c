/* w4.c: the kernels of packed weights for any core against those of int8 weights. See nibble_cases.h. */
#include "nibble_cases.h"

static void conv_case(int32_t number) {
  const uint32_t taps = (uint32_t)p.kernel_h * p.kernel_w * p.in_c;
  const uint32_t group = (uint32_t)test_between(1, p.out_c);
  tml_conv2d_params v = p;
  uint32_t c, k, n;
  put_header(group);
  for (c = 0; c < p.out_c; c += group) {
    n = (p.out_c - c < group ? p.out_c - c : group) * taps;
    for (k = 0; k < n; ++k) run[k] = weights[c * taps + k];
    put_run(n);
  }
  v.weights = (const int8_t *)packed_words;
  compare_conv(tml_conv2d_s8, tml_conv2d_w4, &v, 80 + group * taps, "conv2d", number);
}

static void depthwise_case(int32_t number) {
  const uint32_t n = (uint32_t)p.kernel_h * p.kernel_w * p.out_c;
  tml_conv2d_params v = p;
  put_header(0);
  memcpy(run, weights, n);
  put_run(n);
  v.weights = (const int8_t *)packed_words;
  compare_conv(tml_depthwise_conv2d_s8, tml_depthwise_conv2d_w4, &v, n, "depthwise", number);
}

static void dense_case(int32_t number) {
  tml_fully_connected_params v = f;
  uint32_t c, k;
  put_header(0);
  for (c = 0; c < f.out_features; c += 2) {
    for (k = 0; k < f.in_features; ++k) {
      const int32_t even = weight_of(f.in_features, f.out_features, c, k);
      const int32_t odd = weight_of(f.in_features, f.out_features, c + 1, k);
      *packed++ = (uint8_t)(is_int4 ? 2 * odd + even / 8 + 8 : (int32_t)(code_of(odd) << 4 | code_of(even)));
    }
  }
  v.weights = (const int8_t *)packed_words;
  compare_dense(tml_fully_connected_w4, &v, 4, number);
}

int main(void) {
  int32_t i;
  for (i = 0; i < TEST_CASES; ++i) {
    if (random_conv()) conv_case(i);
    if (random_depthwise(0)) depthwise_case(i);
    random_dense(1);
    dense_case(i);
  }
  return test_report();
}
