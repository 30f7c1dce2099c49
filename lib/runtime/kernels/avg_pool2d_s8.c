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
  TML_LANES_DECLARE(acc);
  uint32_t offset, i;
  for (offset = 0; rows > 0; --rows, offset += row) {
    for (i = 0; i < columns; ++i) TML_LANES_ADD(acc, x + offset + i * step);
  }
  TML_LANES_STORE(acc, sums);
}

static int32_t pool_single(const tml_pool2d_params *p, const int8_t *x, uint32_t rows, uint32_t columns) {
  uint32_t r, i;
  int32_t sum = 0;
  for (r = 0; r < rows; ++r) {
    for (i = 0; i < columns; ++i) sum += x[(r * p->dilation_h * p->in_w + i * p->dilation_w) * p->channels];
  }
  return sum;
}

/* x: the first tap inside. */
static TML_NOINLINE void pool_point(const tml_pool2d_params *p, const int8_t *x, uint32_t rows, uint32_t columns,
                                    int8_t *y) {
  const tml_output output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  const uint32_t taps = rows * columns;
  const int32_t multiplier = taps > 0 ? p->multipliers[taps - p->count_min] : 0;
  const int32_t zero = (int32_t)taps * p->in_zero;
  const uint32_t lanes = p->channels >= TML_LANES ? TML_LANES : 1;
  int32_t sums[TML_LANES];
  uint32_t next, i;
  for (next = 0; next < p->channels; next += lanes) {
    const uint32_t c = tml_min_u32(next, p->channels - lanes);
    if (lanes > 1) {
      pool_lanes(p, x + c, rows, columns, sums);
    } else {
      sums[0] = pool_single(p, x + c, rows, columns);
    }
    for (i = 0; i < lanes; ++i) y[c + i] = tml_requantize(sums[i] - zero, multiplier, output);
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
