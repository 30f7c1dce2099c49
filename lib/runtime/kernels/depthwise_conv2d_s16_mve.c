/* depthwise_conv2d_s16_mve.c: depthwise convolution of int16 by int8 for cores with Helium: eight channels at a time.
 *
 * Record, operands and what may overlap as for tml_depthwise_conv2d_s16; out_c = in_c >= 8, shift = 0. VMULLB and
 * VMULLT multiply the even and the odd channels: six instructions for eight products. No scratch.
 */
#include "s16.h"
#include "window.h"

enum { LANES = 8 };

typedef struct depthwise_pixel {
  const int16_t *x; /* the first tap inside */
  const int8_t *w;  /* its weight */
  uint32_t rows, columns;
  uint32_t row, tap;     /* elements from one to the next */
  uint32_t w_row, w_tap; /* of the weights */
} depthwise_pixel;

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>

/* Eight channels from `c` on. */
static TML_NOINLINE void depthwise_eight(const tml_conv2d_s16_params *p, const depthwise_pixel *s, uint32_t c,
                                         int16_t *y) {
  int32x4x2_t sums = vld2q_s32(p->bias + c), multipliers;
  const int16_t *x_row = s->x + c;
  const int8_t *w_row = s->w + c;
  int16x8_t out = vdupq_n_s16(0);
  uint32_t row, i;
  for (row = s->rows; row > 0; --row, x_row += s->row, w_row += s->w_row) {
    const int16_t *x = x_row;
    const int8_t *w = w_row;
    for (i = s->columns; i > 0; --i, x += s->tap, w += s->w_tap) {
      const int16x8_t v = vld1q_s16(x), u = vldrbq_s16(w);
      sums.val[0] = vaddq_s32(sums.val[0], vmullbq_int_s16(v, u));
      sums.val[1] = vaddq_s32(sums.val[1], vmulltq_int_s16(v, u));
    }
  }
  if (p->multiplier_step) {
    multipliers = vld2q_s32(p->multipliers + c);
  } else {
    multipliers.val[0] = multipliers.val[1] = vdupq_n_s32(p->multipliers[0]);
  }
  out = vqmovnbq_s32(out, vrmulhq_s32(sums.val[0], multipliers.val[0]));
  out = vqmovntq_s32(out, vrmulhq_s32(sums.val[1], multipliers.val[1]));
  out = vminq_s16(vmaxq_s16(out, vdupq_n_s16(p->clamp_min)), vdupq_n_s16(p->clamp_max));
  vst1q_s16(y, out);
}
#else
static TML_NOINLINE void depthwise_eight(const tml_conv2d_s16_params *p, const depthwise_pixel *s, uint32_t c,
                                         int16_t *y) {
  const tml_output_s16 output = tml_make_output_s16(0, p->clamp_min, p->clamp_max);
  uint32_t lane, row, i;
  for (lane = 0; lane < LANES; ++lane) {
    int32_t acc = p->bias[c + lane];
    for (row = 0; row < s->rows; ++row) {
      for (i = 0; i < s->columns; ++i) {
        acc += s->x[c + lane + row * s->row + i * s->tap] * s->w[c + lane + row * s->w_row + i * s->w_tap];
      }
    }
    y[lane] = tml_requantize_s16(acc, p->multipliers[(c + lane) * p->multiplier_step], output);
  }
}
#endif

int tml_depthwise_conv2d_s16_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_s16_params *p = (const tml_conv2d_s16_params *)params;
  const int16_t *image = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  depthwise_pixel s;
  uint32_t b, oy, ox, c;
  s.tap = (uint32_t)p->dilation_w * p->in_c;
  s.row = (uint32_t)p->dilation_h * p->in_w * p->in_c;
  s.w_tap = p->out_c;
  s.w_row = (uint32_t)p->kernel_w * p->out_c;
  for (b = 0; b < p->batches; ++b, image += (uint32_t)p->in_h * p->in_w * p->in_c) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window wy = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->out_c) {
        const tml_window wx = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        s.columns = wx.end - wx.begin;
        s.rows = s.columns > 0 ? wy.end - wy.begin : 0;
        s.x = image;
        if (s.rows > 0) {
          s.x += (tml_tap(wy, wy.begin, p->dilation_h) * p->in_w + tml_tap(wx, wx.begin, p->dilation_w)) * p->in_c;
        }
        s.w = p->weights + wy.begin * s.w_row + wx.begin * s.w_tap;
        for (c = 0; c < p->out_c; c += LANES) {
          const uint32_t first = tml_min_u32(c, (uint32_t)p->out_c - LANES);
          depthwise_eight(p, &s, first, y + first);
        }
      }
    }
  }
  return TML_OK;
}
