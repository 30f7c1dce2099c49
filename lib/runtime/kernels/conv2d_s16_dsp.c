/* conv2d_s16_dsp.c: 2-D convolution of int16 by int8, three output pixels by two channels at a time
 * (dsp_product_s16.h).
 *
 * operands: x, y, scratch; packed constants, scratch and what may overlap: see the record. groups = 1. The windows of
 * three pixels become columns. Where a kernel row is one run of whole words inside of the input it is read where it
 * stands; else (padding, dilation, an odd row) the window is first gathered into a patch.
 */
#include "dsp_product_s16.h"
#include "window.h"

/* Where a column comes from: rows of words. */
typedef struct conv_source {
  const int16_t *x;
  uint32_t pitch; /* elements from a row to the next */
} conv_source;

typedef struct conv_dsp {
  const tml_conv2d_s16_dsp_params *p;
  tml_s16_block block;
  uint32_t run, k;        /* elements of a kernel row; taps, rounded up */
  uint32_t is_direct;     /* rows inside are whole words */
  uint32_t pitch;         /* elements from a row to the next in the input */
  int32_t last_y, last_x; /* the last origins at which a window is read where it stands */
  uint32_t oy, ox;        /* the next pixel */
  uint32_t *columns;
  int16_t *patches;
  int16_t *y;
  const int16_t *x; /* the image */
} conv_dsp;

static inline void conv_copy(int16_t *to, const int16_t *from, uint32_t n) {
  uint32_t word;
  for (; n >= 2; n -= 2, to += 2, from += 2) {
    memcpy(&word, from, sizeof word);
    memcpy(to, &word, sizeof word);
  }
  if (n > 0) *to = *from;
}

/* The window of a pixel as dense rows with zeros for padding. */
static TML_NOINLINE void conv_gather(const conv_dsp *s, tml_window y, tml_window w, int16_t *patch) {
  const tml_conv2d_s16_dsp_params *p = s->p;
  const uint32_t depth = p->in_c, step = p->dilation_w == 1 ? p->kernel_w : 1u;
  const uint32_t n = p->dilation_w == 1 ? (w.end - w.begin) * depth : depth;
  const uint32_t zeros[2] = {0, 0};
  uint32_t ky, kx, i;
  for (i = 0; i < s->k; i += 4) memcpy(patch + i, zeros, sizeof zeros);
  for (ky = y.begin; ky < y.end; ++ky) {
    const int16_t *row = s->x + tml_tap(y, ky, p->dilation_h) * p->in_w * depth;
    for (kx = w.begin; kx < w.end; kx += step) {
      conv_copy(patch + ky * s->run + kx * depth, row + tml_tap(w, kx, p->dilation_w) * depth, n);
    }
  }
}

static void conv_next_row(conv_dsp *s) {
  s->ox = 0;
  if (++s->oy == s->p->out_h) {
    s->oy = 0;
    s->x += (uint32_t)s->p->in_h * s->p->in_w * s->p->in_c;
  }
}

/* A window that leaves the input, or whose rows are no whole words. */
static TML_NOINLINE void conv_patch(const conv_dsp *s, int16_t *patch) {
  const tml_conv2d_s16_dsp_params *p = s->p;
  conv_gather(s, tml_make_window(s->oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h),
              tml_make_window(s->ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w), patch);
}

/* Finds the window of the next pixel, and moves on. */
static inline conv_source conv_window(conv_dsp *s, int16_t *patch) {
  const tml_conv2d_s16_dsp_params *p = s->p;
  const int32_t y = (int32_t)(s->oy * p->stride_h) - p->pad_top, x = (int32_t)(s->ox * p->stride_w) - p->pad_left;
  conv_source source;
  if (y >= 0 && x >= 0 && y <= s->last_y && x <= s->last_x) {
    source.x = s->x + (uint32_t)(y * p->in_w + x) * p->in_c;
    source.pitch = s->pitch;
  } else {
    conv_patch(s, patch);
    source.x = patch;
    source.pitch = s->run;
  }
  if (++s->ox == p->out_w) conv_next_row(s);
  return source;
}

#if TML_DSP_ASM
/* words > 0. Returns the end of the columns. */
static inline uint32_t *conv_expand_row(uint32_t *columns, const int16_t **x, uint32_t words) {
  const int16_t *x0 = x[0], *x1 = x[1], *x2 = x[2];
  __asm__ volatile(
      "1:\n"
      "ldr r4, [%1], #4\n"
      "ldr r5, [%2], #4\n"
      "ldr r6, [%3], #4\n"
      "subs %4, #1\n"
      "stm %0!, {r4-r6}\n"
      "bne 1b\n"
      : "+&r"(columns), "+&r"(x0), "+&r"(x1), "+&r"(x2), "+&r"(words)
      :
      : "r4", "r5", "r6", "cc", "memory");
  return columns;
}
#else
static inline uint32_t *conv_expand_row(uint32_t *columns, const int16_t **x, uint32_t words) {
  uint32_t i, c;
  for (i = 0; i < words; ++i) {
    for (c = 0; c < TML_S16_COLUMNS; ++c) memcpy(columns++, x[c] + 2 * i, sizeof *columns);
  }
  return columns;
}
#endif

static TML_NOINLINE void conv_expand(uint32_t *columns, const conv_source *from, uint32_t words, uint32_t rows) {
  const int16_t *x[TML_S16_COLUMNS];
  uint32_t c;
  for (c = 0; c < TML_S16_COLUMNS; ++c) x[c] = from[c].x;
  for (; rows > 0; --rows) {
    columns = conv_expand_row(columns, x, words);
    for (c = 0; c < TML_S16_COLUMNS; ++c) x[c] += from[c].pitch;
  }
}

/* Makes the columns of the next pixels, at most three; with fewer the last is repeated. */
static void conv_columns(conv_dsp *s, uint32_t pixels) {
  conv_source from[TML_S16_COLUMNS], last = {0, 0};
  uint32_t i;
  for (i = 0; i < TML_S16_COLUMNS; ++i) {
    if (i < pixels) last = conv_window(s, s->patches + i * s->k);
    from[i] = last;
  }
  if (s->is_direct) {
    conv_expand(s->columns, from, s->run / 2, s->p->kernel_h);
  } else {
    conv_expand(s->columns, from, s->k / 2, 1);
  }
}

/* Fewer pixels than columns, or an odd channel: block by block through a buffer. */
static TML_NOINLINE void conv_partly(const conv_dsp *s, uint32_t first, uint32_t pixels) {
  tml_s16_block block = s->block;
  int16_t values[TML_S16_COLUMNS * TML_S16_CHANNELS];
  const uint32_t channels = s->p->out_c;
  uint32_t c, i;
  block.stride = TML_S16_CHANNELS * sizeof *values;
  block.y_end = values + TML_S16_CHANNELS;
  block.stream += first / TML_S16_CHANNELS * tml_s16_block_words(s->k);
  for (c = first; c < channels; c += TML_S16_CHANNELS) {
    block.y = values;
    tml_s16_product(&block);
    block.stream += tml_s16_block_words(s->k);
    for (i = 0; i < pixels; ++i) {
      s->y[i * channels + c] = values[i * TML_S16_CHANNELS];
      if (c + 1 < channels) s->y[i * channels + c + 1] = values[i * TML_S16_CHANNELS + 1];
    }
  }
}

/* All channels of the pixels whose columns are ready. */
static TML_NOINLINE void conv_outputs(conv_dsp *s, uint32_t pixels) {
  const tml_conv2d_s16_dsp_params *p = s->p;
  const uint32_t n = p->out_c * pixels, whole = pixels == TML_S16_COLUMNS ? p->out_c & ~1u : 0;
  const int16_t *end = s->y + n;
  s->block.y = s->y;
  s->block.y_end = s->y + whole;
  if (whole > 0) tml_s16_product(&s->block);
  if (whole < p->out_c) conv_partly(s, whole, pixels);
  if ((p->clamp_min != 0 && p->clamp_min != INT16_MIN) || p->clamp_max != INT16_MAX) {
    for (; s->y != end; ++s->y) *s->y = (int16_t)tml_clamp(*s->y, p->clamp_min, p->clamp_max);
  }
  s->y += end - s->y;
}

int tml_conv2d_s16_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_s16_dsp_params *p = (const tml_conv2d_s16_dsp_params *)params;
  uint32_t left = (uint32_t)p->batches * p->out_h * p->out_w;
  conv_dsp s;
  s.p = p;
  s.x = tml_operand_s16(context, operands[0]);
  s.y = tml_operand_s16(context, operands[1]);
  s.columns = (uint32_t *)(void *)(context->arena + operands[2]);
  s.run = (uint32_t)p->kernel_w * p->in_c;
  s.k = tml_s16_round_up(s.run * p->kernel_h);
  s.patches = (int16_t *)(void *)(s.columns + tml_s16_column_words(s.k));
  s.is_direct = s.run % 2u == 0 && p->dilation_w == 1;
  s.pitch = (uint32_t)p->dilation_h * p->in_w * p->in_c;
  s.last_y = p->in_h - (p->kernel_h - 1) * p->dilation_h - 1;
  s.last_x = s.is_direct ? p->in_w - p->kernel_w : -1;
  s.oy = s.ox = 0;
  s.block.is_positive = p->clamp_min >= 0;
  s.block.stride = p->out_c * (uint32_t)sizeof(int16_t);
  s.block.x = s.columns;
  s.block.skip = tml_s16_skip(s.k);
  s.block.x_end = s.columns + tml_s16_column_words(s.k);
  s.block.stream = p->stream;
  while (left > 0) {
    const uint32_t pixels = tml_min_u32(left, TML_S16_COLUMNS);
    conv_columns(&s, pixels);
    conv_outputs(&s, pixels);
    left -= pixels;
  }
  return TML_OK;
}
