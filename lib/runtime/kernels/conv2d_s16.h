/* conv2d_s16.h: 2-D convolution of int16 by int8, for accumulators of 32 bits (conv2d_s16.c) and of 64
 * (conv2d_wide_s16.c).
 *
 * operands: x [batches][in_h][in_w][in_c], y [batches][out_h][out_w][out_c]; groups, strides, dilation, padding. No
 * scratch. Four output channels share each input. Padded taps are zero, so windows are cut to what lies inside. A
 * pixel's window is read again for each four channels. A run of products is summed in 32 bits; the wide form adds
 * pieces of at most TML_S16_PIECE of them, which cannot overflow, to 64-bit sums.
 */
#ifndef TINYML_KERNELS_CONV2D_S16_H
#define TINYML_KERNELS_CONV2D_S16_H

#include "s16.h"
#include "window.h"

enum { TML_S16_ROWS = 4, TML_S16_PIECE = 256 /* * 2^15 * 128 < 2^31 */ };

#ifdef TML_S16_WIDE
typedef int64_t tml_s16_acc;
#else
typedef int32_t tml_s16_acc;
#endif

/* Four rows of weights; fewer than four channels are computed one by one, all rows the same. */
typedef struct conv_rows {
  const int8_t *w[TML_S16_ROWS];
  tml_s16_acc acc[TML_S16_ROWS];
} conv_rows;

typedef struct conv_pixel {
  const int16_t *x;         /* the image, at the group's first channel */
  tml_window y, w;          /* the taps inside */
  uint32_t depth, channels; /* of a group: in, out */
  uint32_t dense;           /* taps of a row follow each other without a gap */
} conv_pixel;

/* acc[r] += sum of x[i] * w[r][at + i] */
static inline void conv_piece(conv_rows *rows, const int16_t *x, uint32_t at, uint32_t n) {
  const int8_t *w0 = rows->w[0] + at, *w1 = rows->w[1] + at, *w2 = rows->w[2] + at, *w3 = rows->w[3] + at;
  int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
  uint32_t i;
  for (i = 0; i < n; ++i) {
    const int32_t v = x[i];
    a0 += v * w0[i];
    a1 += v * w1[i];
    a2 += v * w2[i];
    a3 += v * w3[i];
  }
  rows->acc[0] += a0;
  rows->acc[1] += a1;
  rows->acc[2] += a2;
  rows->acc[3] += a3;
}

static TML_NOINLINE void conv_run(conv_rows *rows, const int16_t *x, uint32_t at, uint32_t n) {
#ifdef TML_S16_WIDE
  for (; n > TML_S16_PIECE; n -= TML_S16_PIECE, x += TML_S16_PIECE, at += TML_S16_PIECE) {
    conv_piece(rows, x, at, TML_S16_PIECE);
  }
#endif
  conv_piece(rows, x, at, n);
}

/* All taps inside of the window. */
static inline void conv_window(const tml_conv2d_s16_params *p, const conv_pixel *s, conv_rows *rows) {
  const uint32_t run = s->dense ? (s->w.end - s->w.begin) * s->depth : s->depth;
  const uint32_t step = s->dense ? p->kernel_w : 1u;
  uint32_t ky, kx;
  for (ky = s->y.begin; ky < s->y.end; ++ky) {
    const uint32_t row = tml_tap(s->y, ky, p->dilation_h) * p->in_w;
    for (kx = s->w.begin; kx < s->w.end; kx += step) {
      conv_run(rows, s->x + (row + tml_tap(s->w, kx, p->dilation_w)) * p->in_c, (ky * p->kernel_w + kx) * s->depth,
               run);
    }
  }
}

static inline int16_t conv_finish(tml_s16_acc acc, int32_t multiplier, tml_output_s16 output) {
#ifdef TML_S16_WIDE
  return tml_requantize_wide_s16(acc, multiplier, output);
#else
  return tml_requantize_s16(acc, multiplier, output);
#endif
}

/* The channels of a group from `first` on; the last block starts early enough to be full. */
static TML_NOINLINE void conv_group(const tml_conv2d_s16_params *p, const conv_pixel *s, uint32_t first, int16_t *y) {
  const tml_output_s16 output = tml_make_output_s16(p->shift, p->clamp_min, p->clamp_max);
  const uint32_t taps = (uint32_t)p->kernel_h * p->kernel_w * s->depth;
  const uint32_t block = s->channels < TML_S16_ROWS ? 1 : TML_S16_ROWS;
  uint32_t next, r;
  for (next = 0; next < s->channels; next += block) {
    const uint32_t c = first + tml_min_u32(next, s->channels - block);
    conv_rows rows;
    for (r = 0; r < TML_S16_ROWS; ++r) {
      const uint32_t channel = c + (block == 1 ? 0 : r);
      rows.w[r] = p->weights + channel * taps;
      rows.acc[r] = p->bias[channel];
    }
    conv_window(p, s, &rows);
    for (r = 0; r < block; ++r) {
      y[c + r] = conv_finish(rows.acc[r], p->multipliers[(c + r) * p->multiplier_step], output);
    }
  }
}

static inline int conv2d_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_s16_params *p = (const tml_conv2d_s16_params *)params;
  const int16_t *image = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  conv_pixel s;
  uint32_t b, oy, ox, g;
  s.depth = (uint32_t)p->in_c / p->groups;
  s.channels = (uint32_t)p->out_c / p->groups;
  s.dense = p->groups == 1 && p->dilation_w == 1;
  for (b = 0; b < p->batches; ++b, image += (uint32_t)p->in_h * p->in_w * p->in_c) {
    for (oy = 0; oy < p->out_h; ++oy) {
      s.y = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->out_c) {
        s.w = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        for (g = 0; g < p->groups; ++g) {
          s.x = image + g * s.depth;
          conv_group(p, &s, g * s.channels, y);
        }
      }
    }
  }
  return TML_OK;
}

#endif
