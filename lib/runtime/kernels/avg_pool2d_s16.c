/* avg_pool2d_s16.c: average pooling of int16; global average pooling is a window as large as the input.
 *
 * operands: x [batches][in_h][in_w][channels], y [batches][out_h][out_w][channels]. The n taps inside of the input
 * select the multiplier; |acc| <= 2^15 * n < 2^31. No scratch. Two channels run together.
 */
#include "pool2d_s16.h"

static void average(const tml_pool2d_s16_params *p, const int16_t *x, uint32_t rows, uint32_t columns, int16_t *y) {
  const tml_output_s16 output = tml_make_output_s16(p->shift, p->clamp_min, p->clamp_max);
  const int32_t multiplier = rows * columns > 0 ? p->multipliers[rows * columns - p->count_min] : 0;
  const uint32_t step = (uint32_t)p->dilation_w * p->channels, row = (uint32_t)p->dilation_h * p->in_w * p->channels;
  uint32_t c, r, i;
  for (c = 0; c < p->channels; c += 2) {
    const uint32_t other = c + 1u < p->channels;
    int32_t a0 = 0, a1 = 0;
    for (r = 0; r < rows; ++r) {
      const int16_t *tap = x + r * row + c;
      for (i = columns; i > 0; --i, tap += step) {
        a0 += tap[0];
        a1 += tap[other];
      }
    }
    y[c] = tml_requantize_s16(a0, multiplier, output);
    if (other) y[c + 1] = tml_requantize_s16(a1, multiplier, output);
  }
}

int tml_avg_pool2d_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_pool2d_s16(context, params, operands, average);
}
