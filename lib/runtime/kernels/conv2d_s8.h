/* conv2d_s8.h: 2-D convolution with groups, strides, dilation and padding.
 *
 * operands: x [batches][in_h][in_w][in_c], y [batches][out_h][out_w][out_c]. Weights
 * [out_c][kernel_h][kernel_w][in_c / groups], int8. The bias holds -in_zero * sum(weights), so a padded
 * tap counts as in_zero. No scratch.
 *
 * Two neighbouring pixels at a time where the window allows it, so that they share the weights; their windows are read
 * again after some of their outputs are written, and lib/device/overlap.cpp counts on no more than that. Three ways to
 * the inputs, all of which end in the same dot product over runs:
 *   - the window is one dense run of the input (1x1, or a single row): read where it stands;
 *   - the window is small: gathered, padding included, into a patch on the stack (first layers, few channels);
 *   - else row by row: every run inside the input is read where it stands, padding costs one addition per weight.
 */
#ifndef TINYML_KERNELS_CONV2D_S8_H
#define TINYML_KERNELS_CONV2D_S8_H

#include <string.h>

#include "dot.h"
#include "window.h"

/* Bytes of the patch. 3x3 over 16 channels fits; larger windows have runs long enough to be read in place. */
#ifndef TML_PATCH_BYTES
#define TML_PATCH_BYTES 144
#endif
/* Of each of two patches; 3x3 over 8 channels fits. Two large ones would double the stack of a whole inference. */
#define TML_PAIR_BYTES (TML_PATCH_BYTES / 2)

/* One output pixel of one group. */
typedef struct conv_pixel {
  const int8_t *x; /* the image, at the group's first channel */
  tml_window y, w; /* the taps inside, vertically and horizontally */
  uint32_t depth;  /* channels of the group */
  uint32_t dense;  /* taps of a row follow each other without a gap */
} conv_pixel;

static const int8_t *conv_tap(const tml_conv2d_params *p, const conv_pixel *s, uint32_t ky, uint32_t kx) {
  return s->x + (tml_tap(s->y, ky, p->dilation_h) * p->in_w + tml_tap(s->w, kx, p->dilation_w)) * p->in_c;
}

static TML_NOINLINE void conv_gather(const tml_conv2d_params *p, const conv_pixel *s, int8_t *patch) {
  const uint32_t bytes = (uint32_t)p->kernel_h * p->kernel_w * s->depth;
  const uint32_t run = s->dense ? (s->w.end - s->w.begin) * s->depth : s->depth;
  const uint32_t step = s->dense ? p->kernel_w : 1u;
  uint32_t ky, kx;
  if (s->y.begin > 0 || s->w.begin > 0 || s->y.end < p->kernel_h || s->w.end < p->kernel_w) {
    memset(patch, p->in_zero, (size_t)bytes);
  }
  for (ky = s->y.begin; ky < s->y.end; ++ky) {
    for (kx = s->w.begin; kx < s->w.end; kx += step) {
      memcpy(patch + (ky * p->kernel_w + kx) * s->depth, conv_tap(p, s, ky, kx), (size_t)run);
    }
  }
}

/* acc[r] += in_zero * sum of w[row_r + i]: a run of padding. */
static TML_NOINLINE void conv_padding(tml_dot_block *block, int32_t in_zero, const int8_t *w, uint32_t n) {
  const int8_t *w1 = w + block->row1, *w2 = w + block->row2, *w3 = w + block->row3;
  int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  uint32_t i;
  for (i = 0; i < n; ++i) {
    s0 += w[i];
    s1 += w1[i];
    s2 += w2[i];
    s3 += w3[i];
  }
  block->acc[0] += in_zero * s0;
  block->acc[1] += in_zero * s1;
  block->acc[2] += in_zero * s2;
  block->acc[3] += in_zero * s3;
}

/* Adds kernel row ky, which is inside of the input, to four accumulators. */
static inline void conv_row(const tml_conv2d_params *p, const conv_pixel *s, uint32_t ky, const int8_t *weights,
                            tml_dot_block *block) {
  const uint32_t run = s->dense ? (s->w.end - s->w.begin) * s->depth : s->depth;
  const uint32_t step = s->dense ? p->kernel_w : 1u;
  uint32_t kx;
  for (kx = s->w.begin; kx < s->w.end; kx += step) {
    tml_dot_add(block, conv_tap(p, s, ky, kx), weights + kx * s->depth, run);
  }
  if (s->w.begin > 0) conv_padding(block, p->in_zero, weights, s->w.begin * s->depth);
  if (s->w.end < p->kernel_w) {
    conv_padding(block, p->in_zero, weights + s->w.end * s->depth, (p->kernel_w - s->w.end) * s->depth);
  }
}

static TML_NOINLINE void conv_rows(const tml_conv2d_params *p, const conv_pixel *s, const tml_dot_output *o,
                                   int8_t *y) {
  const uint32_t row = p->kernel_w * s->depth;
  uint32_t next, ky;
  for (next = 0; next < o->count; next += o->store.rows) {
    const uint32_t first = tml_dot_first(o, next);
    const int8_t *weights = o->weights + first * o->stride;
    tml_dot_block block;
    tml_dot_begin(o, first, &block);
    for (ky = 0; ky < p->kernel_h; ++ky, weights += row) {
      if (ky >= s->y.begin && ky < s->y.end) {
        conv_row(p, s, ky, weights, &block);
      } else {
        conv_padding(&block, p->in_zero, weights, row);
      }
    }
    tml_store_rows(&o->store, first, block.acc, y + first);
  }
}

static TML_NOINLINE void conv_patch(const tml_conv2d_params *p, const conv_pixel *s, const tml_dot_output *o,
                                    int8_t *y) {
  int8_t patch[TML_PATCH_BYTES];
  conv_gather(p, s, patch);
  tml_dot_channels(o, patch, y);
}

static void conv_point(const tml_conv2d_params *p, const conv_pixel *s, const tml_dot_output *o, int8_t *y) {
  const uint32_t inside = tml_window_full(s->w, p->kernel_w) && s->y.begin < s->y.end;
  if (s->dense && inside && p->kernel_h == 1) {
    tml_dot_channels(o, conv_tap(p, s, 0, 0), y);
  } else if (o->stride <= TML_PATCH_BYTES) {
    conv_patch(p, s, o, y);
  } else {
    conv_rows(p, s, o, y);
  }
}

/* Where a pair's window of rows begins, and which rows of it are inside. */
static inline void conv_pair_rows(const tml_conv2d_params *p, const conv_pixel *s, tml_dot_window *pair) {
  const uint32_t row = p->kernel_w * s->depth;
  pair->runs = s->y.end - s->y.begin;
  pair->run = row;
  pair->gap = (uint32_t)p->dilation_h * p->in_w * p->in_c;
  pair->before = s->y.begin * row;
  pair->behind = (p->kernel_h - s->y.end) * row;
  pair->pad = p->in_zero;
}

static TML_NOINLINE void conv_pair_patches(const tml_conv2d_params *p, conv_pixel *s, tml_window next,
                                           const tml_dot_output *o, int8_t *y) {
  int8_t patches[2][TML_PAIR_BYTES];
  tml_dot_window pair = {0};
  conv_gather(p, s, patches[0]);
  s->w = next;
  conv_gather(p, s, patches[1]);
  pair.x0 = patches[0];
  pair.x1 = patches[1];
  pair.runs = 1;
  pair.run = o->stride;
  tml_dot_pixels(o, &pair, y, y + o->pitch);
}

/* Two neighbouring pixels at once, if possible; `next` is the window of the second. */
static uint32_t conv_pair(const tml_conv2d_params *p, conv_pixel *s, tml_window next, const tml_dot_output *o,
                          int8_t *y) {
  tml_dot_window pair;
  if (p->groups != 1 || !tml_dot_pairable(o)) return 0;
  if (s->dense && s->y.begin < s->y.end && tml_window_full(s->w, p->kernel_w) && tml_window_full(next, p->kernel_w) &&
      (p->kernel_h == 1 || o->stride > TML_PAIR_BYTES)) {
    pair.x0 = conv_tap(p, s, s->y.begin, 0);
    pair.x1 = pair.x0 + (uint32_t)p->stride_w * p->in_c;
    conv_pair_rows(p, s, &pair);
    tml_dot_pixels(o, &pair, y, y + o->pitch);
  } else if (o->stride <= TML_PAIR_BYTES) {
    conv_pair_patches(p, s, next, o, y);
  } else {
    return 0;
  }
  return 1;
}

static TML_NOINLINE void conv_groups(const tml_conv2d_params *p, conv_pixel *s, tml_dot_output *o, int8_t *y) {
  const int8_t *x = s->x;
  uint32_t g;
  for (g = 0; g < p->groups; ++g) {
    conv_point(p, s, o, y);
    s->x += s->depth;
    y += o->count;
    o->weights += o->count * o->stride;
    o->bias += o->count;
    o->store.multipliers += o->count * o->store.step;
  }
  o->weights = p->weights;
  o->bias = p->bias;
  o->store.multipliers = p->multipliers;
  s->x = x;
}

/* 1x1, pixel by pixel where the input stands: no windows, pairs across rows. */
static TML_NOINLINE void conv_pointwise(const tml_conv2d_params *p, const tml_dot_output *o, const int8_t *x,
                                        int8_t *y) {
  uint32_t pixels = (uint32_t)p->batches * p->in_h * p->in_w;
  tml_dot_window pair = {0};
  pair.runs = 1;
  pair.run = p->in_c;
  for (pair.x0 = x; tml_dot_pairable(o) && pixels >= 2; pixels -= 2, y += 2 * o->pitch, pair.x0 += 2u * p->in_c) {
    pair.x1 = pair.x0 + p->in_c;
    tml_dot_pixels(o, &pair, y, y + o->pitch);
  }
  for (; pixels > 0; --pixels, y += o->pitch, pair.x0 += p->in_c) tml_dot_channels(o, pair.x0, y);
}

static inline uint32_t conv_is_pointwise(const tml_conv2d_params *p) {
  return p->groups == 1 && p->kernel_h * p->kernel_w == 1 && p->stride_h * p->stride_w == 1 && p->pad_top == 0 &&
         p->pad_left == 0 && p->in_h == p->out_h && p->in_w == p->out_w;
}

static TML_NOINLINE tml_window conv_window(const tml_conv2d_params *p, uint32_t ox) {
  return tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
}

static inline int tml_conv2d_s8_body(const tml_context *context, const tml_conv2d_params *p, const uint32_t *operands) {
  int8_t *y = tml_operand(context, operands[1]);
  conv_pixel s;
  tml_dot_output o;
  uint32_t b, oy, ox;
  s.x = tml_operand(context, operands[0]);
  s.depth = (uint32_t)p->in_c / p->groups;
  s.dense = p->groups == 1 && p->dilation_w == 1;
  o.weights = p->weights;
  o.bias = p->bias;
  o.store.multipliers = p->multipliers;
  o.stride = (uint32_t)p->kernel_h * p->kernel_w * s.depth;
  o.count = (uint32_t)p->out_c / p->groups;
  o.pitch = (uint32_t)p->out_c + p->out_gap;
  o.store.step = p->multiplier_step;
  o.store.rows = tml_dot_block_rows(o.count);
  o.store.output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  if (conv_is_pointwise(p)) {
    conv_pointwise(p, &o, s.x, y);
    return TML_OK;
  }
  for (b = 0; b < p->batches; ++b, s.x += (uint32_t)p->in_h * p->in_w * p->in_c) {
    for (oy = 0; oy < p->out_h; ++oy) {
      s.y = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += o.pitch) {
        s.w = conv_window(p, ox);
        if (ox + 1u < p->out_w && conv_pair(p, &s, conv_window(p, ox + 1), &o, y)) {
          ++ox;
          y += o.pitch;
        } else {
          conv_groups(p, &s, &o, y);
        }
      }
    }
  }
  return TML_OK;
}

#endif
