/* avg_pool2d_s8_mve.c: average pooling for Helium, four channels at a time; global average pooling is a window as large
 * as the input.
 *
 * operands, record and result: as tml_avg_pool2d_s8, with shift = 0.
 */
#include "mve.h"
#include "window.h"

typedef struct pool_mve {
  const tml_pool2d_params *p;
  const int8_t *x; /* the first tap inside */
  uint32_t rows, columns;
  int32_t bias, multiplier;
} pool_mve;

/* Channels c to c + 3, those of them that there are. */
static inline void pool_channels(const pool_mve *s, uint32_t c, int8_t *y) {
  const tml_pool2d_params *p = s->p;
  const uint32_t step = (uint32_t)p->dilation_w * p->channels, row = (uint32_t)p->dilation_h * p->in_w * p->channels;
  const int8_t *from = s->x + c;
  uint32_t rows;
#if TML_MVE_ASM
  const mve_pred16_t lanes = vctp32q(p->channels - c);
  int32x4_t sum = vdupq_n_s32(s->bias);
  for (rows = s->rows; rows > 0; --rows, from += row) {
    const int8_t *at = from;
    uint32_t columns = s->columns;
    do {
      sum = vaddq_s32(sum, vldrbq_z_s32(at, lanes));
      at += step;
    } while (--columns > 0);
  }
  sum = vrmulhq_s32(sum, vdupq_n_s32(s->multiplier));
  sum = vqaddq_n_s32(sum, p->out_zero);
  sum = vmaxq_s32(vminq_s32(sum, vdupq_n_s32(p->clamp_max)), vdupq_n_s32(p->clamp_min));
  vstrbq_p_s32(y + c, sum, lanes);
#else
  const tml_output output = tml_make_output(0, p->out_zero, p->clamp_min, p->clamp_max);
  uint32_t lane, column;
  for (lane = 0; lane < 4 && c + lane < p->channels; ++lane) {
    int32_t sum = s->bias;
    const int8_t *at = from + lane;
    for (rows = s->rows; rows > 0; --rows, at += row) {
      for (column = 0; column < s->columns; ++column) sum += at[column * step];
    }
    y[c + lane] = tml_requantize(sum, s->multiplier, output);
  }
#endif
}

static TML_NOINLINE void pool_point(pool_mve *s, int8_t *y) {
  const tml_pool2d_params *p = s->p;
  const uint32_t taps = s->rows * s->columns;
  uint32_t c;
  if (taps == 0) s->rows = 0;
  s->bias = -(int32_t)taps * p->in_zero;
  s->multiplier = taps > 0 ? p->multipliers[taps - p->count_min] : 0;
  for (c = 0; c < p->channels; c += 4) pool_channels(s, c, y);
}

int tml_avg_pool2d_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_pool2d_params *p = (const tml_pool2d_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t b, oy, ox;
  pool_mve s;
  s.p = p;
  for (b = 0; b < p->batches; ++b, x += (uint32_t)p->in_h * p->in_w * p->channels) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window wy = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->channels) {
        const tml_window wx = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        s.rows = wy.end - wy.begin;
        s.columns = wx.end - wx.begin;
        s.x = x;
        if (s.rows > 0 && s.columns > 0) {
          s.x += (tml_tap(wy, wy.begin, p->dilation_h) * p->in_w + tml_tap(wx, wx.begin, p->dilation_w)) * p->channels;
        }
        pool_point(&s, y);
      }
    }
  }
  return TML_OK;
}
