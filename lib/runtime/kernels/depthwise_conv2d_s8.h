/* depthwise_conv2d_s8.h: 2-D convolution with one input channel per output channel (groups = in_c).
 *
 * operands: x [batches][in_h][in_w][in_c], y [batches][out_h][out_w][out_c], out_c a multiple of in_c. Weights
 * [kernel_h][kernel_w][out_c], int8; channel c reads input channel c / (out_c / in_c). The bias holds
 * -in_zero * sum(weights), so a padded tap counts as in_zero. No scratch.
 *
 * With one output per input channel, TML_LANES neighbouring channels run together, their accumulators in registers.
 * A last block that would not be full starts earlier and computes some channels twice.
 */
#ifndef TINYML_KERNELS_DEPTHWISE_CONV2D_S8_H
#define TINYML_KERNELS_DEPTHWISE_CONV2D_S8_H

#include "depthwise_thumb2.h"
#include "lanes.h"
#include "window.h"

typedef struct depthwise_pixel {
  const int8_t *x; /* the image */
  tml_window y, w; /* the taps inside, vertically and horizontally */
  tml_store store;
} depthwise_pixel;

static inline const int8_t *depthwise_tap(const tml_conv2d_params *p, const depthwise_pixel *s, uint32_t ky,
                                          uint32_t kx) {
  return s->x + (tml_tap(s->y, ky, p->dilation_h) * p->in_w + tml_tap(s->w, kx, p->dilation_w)) * p->in_c;
}

/* The taps of a pixel as lines along the axis on which they are all inside; of the lines, [begin, end) are. */
typedef struct depthwise_lines {
  uint32_t begin, end, count, taps;
  uint32_t line, tap;     /* bytes from one to the next, of the input */
  uint32_t w_line, w_tap; /* of the weights */
  const int8_t *x;        /* the first tap of line `begin` */
} depthwise_lines;

/* A pixel all of whose taps are inside, along one axis at least. */
static TML_NOINLINE void depthwise_run(const tml_conv2d_params *p, const depthwise_pixel *s,
                                       const depthwise_lines *lines, int8_t *y) {
  const uint32_t channels = p->out_c, w_tap = lines->w_tap;
  int8_t padding[TML_LANES];
  uint32_t next, line, tap;
  for (tap = 0; tap < TML_LANES; ++tap) padding[tap] = p->in_zero;
  for (next = 0; next < channels; next += TML_LANES) {
    const uint32_t c = tml_min_u32(next, channels - TML_LANES);
    const int8_t *w_line = p->weights + c;
    uint32_t at = c;
    TML_LANES_DECLARE(acc, p->bias + c);
    for (line = 0; line < lines->count; ++line, w_line += lines->w_line) {
      const int8_t *x = padding, *w = w_line;
      uint32_t step = 0;
      if (line - lines->begin < lines->end - lines->begin) {
        x = lines->x + at;
        step = lines->tap;
        at += lines->line;
      }
      tap = lines->taps;
      do {
        TML_LANES_MAC(acc, x, w);
        x += step;
        w += w_tap;
      } while (--tap > 0);
    }
    TML_LANES_FINISH(acc, &s->store, c, y + c);
  }
}

#if TML_THUMB2_ASM
/* Channels [first, end), a multiple of four. */
static TML_NOINLINE void depthwise_fours(const tml_conv2d_params *p, const depthwise_pixel *s,
                                         const depthwise_lines *lines, uint32_t first, uint32_t end, int8_t *y) {
  const uint32_t padding = 0x01010101u * (uint8_t)p->in_zero;
  tml_depthwise_pixel job;
  job.x = lines->x + first;
  job.weights = p->weights + first;
  job.bias = p->bias + first;
  job.multipliers = p->multipliers + first * p->multiplier_step;
  job.multiplier_bytes = p->multiplier_step * 4u;
  job.zero = p->out_zero;
  job.y = y + first;
  job.y_end = y + end;
  job.lines = lines->count;
  job.begin = lines->begin;
  job.inside = lines->end - lines->begin;
  job.line = lines->line;
  job.tap = lines->tap;
  job.weight = lines->w_tap;
  job.weight_line = lines->w_line - lines->taps * lines->w_tap;
  job.taps = lines->taps;
  job.padding = (const int8_t *)&padding;
  tml_depthwise_pixel_run(&job);
  tml_clamp_more(&s->store.output, y + first, end - first);
}
#endif

static void depthwise_channels(const tml_conv2d_params *p, const depthwise_pixel *s, const depthwise_lines *lines,
                               int8_t *y) {
#if TML_THUMB2_ASM
  if (p->shift == 0) {
    depthwise_fours(p, s, lines, 0, p->out_c & ~3u, y);
    if (p->out_c % 4 != 0) depthwise_fours(p, s, lines, p->out_c - 4u, p->out_c, y);
    return;
  }
#endif
  depthwise_run(p, s, lines, y);
}

static inline void depthwise_inside(const tml_conv2d_params *p, const depthwise_pixel *s, uint32_t by_rows, int8_t *y) {
  const uint32_t tap = (uint32_t)p->dilation_w * p->in_c, row = (uint32_t)p->dilation_h * p->in_w * p->in_c;
  depthwise_lines lines;
  lines.begin = by_rows ? s->y.begin : s->w.begin;
  lines.end = by_rows ? s->y.end : s->w.end;
  lines.count = by_rows ? p->kernel_h : p->kernel_w;
  lines.taps = by_rows ? p->kernel_w : p->kernel_h;
  lines.line = by_rows ? row : tap;
  lines.tap = by_rows ? tap : row;
  lines.w_tap = p->out_c * (by_rows ? 1u : p->kernel_w);
  lines.w_line = p->out_c * (by_rows ? p->kernel_w : 1u);
  lines.x = lines.begin < lines.end ? depthwise_tap(p, s, s->y.begin, s->w.begin) : s->x;
  depthwise_channels(p, s, &lines, y);
}

/* A pixel some of whose taps read padding, along both axes. */
static TML_NOINLINE void depthwise_border(const tml_conv2d_params *p, const depthwise_pixel *s, int8_t *y) {
  const uint32_t channels = p->out_c, step = (uint32_t)p->dilation_w * channels;
  int8_t padding[TML_LANES];
  uint32_t next, ky, kx;
  for (kx = 0; kx < TML_LANES; ++kx) padding[kx] = p->in_zero;
  for (next = 0; next < channels; next += TML_LANES) {
    const uint32_t c = tml_min_u32(next, channels - TML_LANES);
    const int8_t *w = p->weights + c;
    int32_t sums[TML_LANES];
    TML_LANES_DECLARE(acc, p->bias + c);
    for (ky = 0; ky < p->kernel_h; ++ky) {
      const uint32_t begin = s->w.begin, inside = ky >= s->y.begin && ky < s->y.end ? s->w.end - begin : 0;
      const int8_t *tap = inside > 0 ? depthwise_tap(p, s, ky, begin) + c : padding;
      for (kx = 0; kx < p->kernel_w; ++kx, w += channels) {
        const uint32_t reads = kx - begin < inside;
        const int8_t *x = reads ? tap : padding;
        TML_LANES_MAC(acc, x, w);
        tap += reads ? step : 0;
      }
    }
    TML_LANES_STORE(acc, sums);
    tml_store_rows(&s->store, c, sums, y + c);
  }
}

static inline uint32_t depthwise_has(const depthwise_pixel *s, uint32_t ky, uint32_t kx) {
  return ky >= s->y.begin && ky < s->y.end && kx >= s->w.begin && kx < s->w.end;
}

/* Any ratio of output to input channels, any number of them: one at a time. */
static TML_NOINLINE void depthwise_singles(const tml_conv2d_params *p, const depthwise_pixel *s, int8_t *y) {
  const uint32_t ratio = (uint32_t)p->out_c / p->in_c;
  uint32_t c, ky, kx;
  for (c = 0; c < p->out_c; ++c) {
    const int8_t *w = p->weights + c;
    int32_t sum = p->bias[c];
    for (ky = 0; ky < p->kernel_h; ++ky) {
      for (kx = 0; kx < p->kernel_w; ++kx, w += p->out_c) {
        sum += *w * (depthwise_has(s, ky, kx) ? depthwise_tap(p, s, ky, kx)[c / ratio] : p->in_zero);
      }
    }
    tml_store_rows(&s->store, c, &sum, y + c);
  }
}

static inline void depthwise_point(const tml_conv2d_params *p, const depthwise_pixel *s, int8_t *y) {
  if (s->store.rows == 1) {
    depthwise_singles(p, s, y);
  } else if (tml_window_full(s->w, p->kernel_w)) {
    depthwise_inside(p, s, 1, y);
  } else if (tml_window_full(s->y, p->kernel_h)) {
    depthwise_inside(p, s, 0, y);
  } else {
    depthwise_border(p, s, y);
  }
}

static inline int tml_depthwise_conv2d_s8_body(const tml_context *context, const tml_conv2d_params *p,
                                               const uint32_t *operands) {
  int8_t *y = tml_operand(context, operands[1]);
  depthwise_pixel s;
  uint32_t b, oy, ox;
  s.x = tml_operand(context, operands[0]);
  s.store.multipliers = p->multipliers;
  s.store.step = p->multiplier_step;
  s.store.rows = p->out_c == p->in_c && p->out_c >= TML_LANES ? TML_LANES : 1;
  s.store.output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  for (b = 0; b < p->batches; ++b, s.x += (uint32_t)p->in_h * p->in_w * p->in_c) {
    for (oy = 0; oy < p->out_h; ++oy) {
      s.y = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->out_c) {
        s.w = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        depthwise_point(p, &s, y);
      }
    }
  }
  return TML_OK;
}

#endif
