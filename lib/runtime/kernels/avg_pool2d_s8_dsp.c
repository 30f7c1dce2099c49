/* avg_pool2d_s8_dsp.c: average pooling for Cortex-M4, M7 and M33; global average pooling is a window as large as the
 * input.
 *
 * Operands, padding and result are those of avg_pool2d_s8.c; at least 4 channels, kernel_w <= 255. SXTAB16 adds two
 * channels at once in 16 bits, which hold 255 taps; then they go into 32 bits. A last block that would not be full
 * starts earlier.
 */
#include "dsp.h"
#include "window.h"

#define POOL_TAPS 255 /* |sum| <= 128 * 255 < 2^15 */

/* Adds the taps of some rows, at most POOL_TAPS, to four sums. */
static inline void pool_rows(const int8_t *x, uint32_t rows, uint32_t columns, uint32_t row, uint32_t step,
                             int32_t *sums) {
  uint32_t even = 0, odd = 0, i;
  for (; rows > 0; --rows, x += row) {
    const int8_t *at = x;
    for (i = columns; i > 0; --i, at += step) {
      const uint32_t four = tml_load4(at);
      even = tml_sxtab16(even, four);
      odd = tml_sxtab16_ror8(odd, four);
    }
  }
  sums[0] += (int16_t)even;
  sums[1] += (int16_t)odd;
  sums[2] += (int32_t)even >> 16;
  sums[3] += (int32_t)odd >> 16;
}

/* x: the first tap inside. */
static TML_NOINLINE void pool_point(const tml_pool2d_params *p, const int8_t *x, uint32_t rows, uint32_t columns,
                                    int8_t *y) {
  const uint32_t step = (uint32_t)p->dilation_w * p->channels;
  const uint32_t row = (uint32_t)p->dilation_h * p->in_w * p->channels;
  const uint32_t at_once = columns > 0 ? POOL_TAPS / columns : 1;
  const int32_t none = 0, zero = -(int32_t)(rows * columns) * p->in_zero;
  tml_store store;
  uint32_t next, r;
  store.multipliers = rows > 0 && columns > 0 ? p->multipliers + (rows * columns - p->count_min) : &none;
  store.step = 0;
  store.rows = 4;
  store.output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  for (next = 0; next < p->channels; next += 4) {
    const uint32_t c = tml_min_u32(next, p->channels - 4u);
    int32_t sums[4];
    sums[0] = sums[1] = sums[2] = sums[3] = zero;
    for (r = 0; r < rows; r += at_once) {
      pool_rows(x + c + r * row, tml_min_u32(at_once, rows - r), columns, row, step, sums);
    }
    tml_store_rows(&store, 0, sums, y + c);
  }
}

int tml_avg_pool2d_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
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
        pool_point(p, x + first * p->channels, rows, columns, y);
      }
    }
  }
  return TML_OK;
}
