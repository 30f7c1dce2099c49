/* max_pool2d_s8.c: max pooling; input and output share scale and zero point.
 *
 * operands: x [batches][in_h][in_w][channels], y [batches][out_h][out_w][channels]. Taps outside of the input do not
 * count; a window that lies outside as a whole gives clamp_min. No scratch: the output pixel holds the maxima.
 */
#include "../tml_internal.h"
#include "window.h"

static void max_into(int8_t *y, const int8_t *x, uint32_t n) {
  uint32_t i;
  for (i = 0; i < n; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
}

static void max_point(const tml_pool2d_params *p, const int8_t *x, tml_window wy, tml_window wx, int8_t *y) {
  uint32_t ky, kx, c;
  for (c = 0; c < p->channels; ++c) y[c] = p->clamp_min;
  for (ky = wy.begin; ky < wy.end; ++ky) {
    const uint32_t row = tml_tap(wy, ky, p->dilation_h) * p->in_w;
    for (kx = wx.begin; kx < wx.end; ++kx) {
      max_into(y, x + (row + tml_tap(wx, kx, p->dilation_w)) * p->channels, p->channels);
    }
  }
  if (p->clamp_max == INT8_MAX) return;
  for (c = 0; c < p->channels; ++c) y[c] = y[c] > p->clamp_max ? p->clamp_max : y[c];
}

int tml_max_pool2d_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_pool2d_params *p = (const tml_pool2d_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t b, oy, ox;
  for (b = 0; b < p->batches; ++b, x += (uint32_t)p->in_h * p->in_w * p->channels) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window wy = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->channels) {
        const tml_window wx = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        max_point(p, x, wy, wx, y);
      }
    }
  }
  return TML_OK;
}
