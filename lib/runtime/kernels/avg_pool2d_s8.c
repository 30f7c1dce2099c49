/* avg_pool2d_s8.c: average pooling; global average pooling is a window as large as the input.
 *
 * operands: x [batches][in_h][in_w][channels], y [batches][out_h][out_w][channels]. The n taps inside of the input
 * select the multiplier; a window that lies outside as a whole gives the zero point. |acc| <= 255 * n. No scratch.
 * TML_LANES neighbouring channels run together; a last block that would not be full starts earlier.
 */
#include "../tml_internal.h"
#include "lanes.h"
#include "window.h"

static TML_NOINLINE void pool_lanes(const tml_pool2d_params *p, const int8_t *x, uint32_t rows, uint32_t columns,
                                    int32_t *sums) {
  const uint32_t step = (uint32_t)p->dilation_w * p->channels;
  const uint32_t row = (uint32_t)p->dilation_h * p->in_w * p->channels;
  TML_LANES_DECLARE(acc, sums);
  uint32_t offset, i;
  for (offset = 0; rows > 0; --rows, offset += row) {
    for (i = 0; i < columns; ++i) TML_LANES_ADD(acc, x + offset + i * step);
  }
  TML_LANES_STORE(acc, sums);
}

static void pool_single(const tml_pool2d_params *p, const int8_t *x, uint32_t rows, uint32_t columns, int32_t *sum) {
  uint32_t r, i;
  for (r = 0; r < rows; ++r) {
    for (i = 0; i < columns; ++i) *sum += x[(r * p->dilation_h * p->in_w + i * p->dilation_w) * p->channels];
  }
}

/* x: the first tap inside. */
static TML_NOINLINE void pool_point(const tml_pool2d_params *p, const int8_t *x, uint32_t rows, uint32_t columns,
                                    int8_t *y) {
  const int32_t none = 0, zero = -(int32_t)(rows * columns) * p->in_zero;
  int32_t sums[TML_LANES];
  tml_store store;
  uint32_t next, i;
  store.multipliers = rows > 0 && columns > 0 ? p->multipliers + (rows * columns - p->count_min) : &none;
  store.step = 0;
  store.rows = p->channels >= TML_LANES ? TML_LANES : 1;
  store.output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  for (next = 0; next < p->channels; next += store.rows) {
    const uint32_t c = tml_min_u32(next, p->channels - store.rows);
    for (i = 0; i < TML_LANES; ++i) sums[i] = zero;
    if (store.rows > 1) {
      pool_lanes(p, x + c, rows, columns, sums);
    } else {
      pool_single(p, x + c, rows, columns, sums);
    }
    tml_store_rows(&store, 0, sums, y + c);
  }
}

int tml_avg_pool2d_s8(const tml_context *context, const void *params, const uint32_t *operands) {
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
