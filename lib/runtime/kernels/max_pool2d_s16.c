/* max_pool2d_s16.c: max pooling of int16; input and output share their scale.
 *
 * operands: x [batches][in_h][in_w][channels], y [batches][out_h][out_w][channels]. Taps outside of the input do not
 * count. No scratch.
 */
#include "pool2d_s16.h"

static void maximum(const tml_pool2d_s16_params *p, const int16_t *x, uint32_t rows, uint32_t columns, int16_t *y) {
  const uint32_t step = (uint32_t)p->dilation_w * p->channels, row = (uint32_t)p->dilation_h * p->in_w * p->channels;
  uint32_t c, r, i;
  for (c = 0; c < p->channels; ++c) {
    int32_t largest = p->clamp_min;
    for (r = 0; r < rows; ++r) {
      const int16_t *tap = x + r * row + c;
      for (i = columns; i > 0; --i, tap += step) largest = *tap > largest ? *tap : largest;
    }
    y[c] = (int16_t)(largest > p->clamp_max ? p->clamp_max : largest);
  }
}

int tml_max_pool2d_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_pool2d_s16(context, params, operands, maximum);
}
