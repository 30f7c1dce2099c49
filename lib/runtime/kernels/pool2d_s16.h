/* pool2d_s16.h: the walk of the pools over int16: output pixels in raster order, each with the taps that lie inside. */
#ifndef TINYML_KERNELS_POOL2D_S16_H
#define TINYML_KERNELS_POOL2D_S16_H

#include "s16.h"
#include "window.h"

/* x: the first tap inside; no taps inside: rows and columns are 0. */
typedef void (*tml_pool_function)(const tml_pool2d_s16_params *p, const int16_t *x, uint32_t rows, uint32_t columns,
                                  int16_t *y);

static inline int tml_pool2d_s16(const tml_context *context, const void *params, const uint32_t *operands,
                                 tml_pool_function function) {
  const tml_pool2d_s16_params *p = (const tml_pool2d_s16_params *)params;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  uint32_t b, oy, ox;
  for (b = 0; b < p->batches; ++b, x += (uint32_t)p->in_h * p->in_w * p->channels) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window wy = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->channels) {
        const tml_window wx = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        const uint32_t inside = wy.begin < wy.end && wx.begin < wx.end;
        uint32_t first = 0;
        if (inside) first = tml_tap(wy, wy.begin, p->dilation_h) * p->in_w + tml_tap(wx, wx.begin, p->dilation_w);
        function(p, x + first * p->channels, inside ? wy.end - wy.begin : 0, inside ? wx.end - wx.begin : 0, y);
      }
    }
  }
  return TML_OK;
}

#endif
