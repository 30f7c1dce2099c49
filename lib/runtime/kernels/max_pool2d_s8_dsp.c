/* max_pool2d_s8_dsp.c: max pooling for Cortex-M4, M7 and M33: four channels at once with SSUB8 and SEL.
 *
 * Operands, padding and result are those of max_pool2d_s8.c; at least 4 channels. A last block that would not be full
 * starts earlier.
 */
#include "dsp.h"
#include "window.h"

/* x: the first tap inside. */
static TML_NOINLINE void max_point(const tml_pool2d_params *p, const int8_t *x, uint32_t rows, uint32_t columns,
                                   int8_t *y) {
  const uint32_t step = (uint32_t)p->dilation_w * p->channels;
  const uint32_t row = (uint32_t)p->dilation_h * p->in_w * p->channels;
  const uint32_t low = 0x01010101u * (uint8_t)p->clamp_min, high = 0x01010101u * (uint8_t)p->clamp_max;
  uint32_t next, r, i;
  for (next = 0; next < p->channels; next += 4) {
    const uint32_t c = tml_min_u32(next, p->channels - 4u);
    const int8_t *line = x + c;
    uint32_t four = low;
    for (r = rows; r > 0; --r, line += row) {
      const int8_t *at = line;
      for (i = columns; i > 0; --i, at += step) four = tml_max4(four, tml_load4(at));
    }
    tml_store4(y + c, tml_min4(four, high));
  }
}

int tml_max_pool2d_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_pool2d_params *p = (const tml_pool2d_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t b, oy, ox;
  for (b = 0; b < p->batches; ++b, x += (uint32_t)p->in_h * p->in_w * p->channels) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window wy = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->channels) {
        const tml_window wx = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        const uint32_t rows = wy.end - wy.begin, columns = wx.end - wx.begin;
        uint32_t first = 0;
        if (rows > 0 && columns > 0) {
          first = tml_tap(wy, wy.begin, p->dilation_h) * p->in_w + tml_tap(wx, wx.begin, p->dilation_w);
        }
        max_point(p, x + first * p->channels, rows, columns, y);
      }
    }
  }
  return TML_OK;
}
