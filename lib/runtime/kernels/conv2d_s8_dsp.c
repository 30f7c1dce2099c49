/* conv2d_s8_dsp.c: 2-D convolution, three output pixels by two channels at a time (dsp_product.h).
 *
 * operands: x, [residual,] y, scratch; packed constants, scratch and what may overlap: see the record. groups = 1.
 * The windows of three pixels become columns of int16 pairs. Where a kernel row is one run of whole words inside of
 * the input it is read where it stands; else (padding, dilation, few channels) the window is first gathered into a
 * patch of bytes.
 */
#include "dsp_product.h"
#include "window.h"

typedef struct conv_point { /* an output pixel */
  const int8_t *image;
  uint32_t oy, ox;
} conv_point;

typedef struct conv_dsp {
  const tml_conv2d_dsp_params *p;
  tml_dsp_block block;
  int32_t last_y, last_x;   /* the last origins at which a whole window lies inside */
  uint32_t run, pitch;      /* bytes of a kernel row, and from one to the next in the input */
  uint32_t reach;           /* bytes from a window's first to its last whole word */
  uint32_t k;               /* taps, rounded up */
  uint32_t is_direct;       /* rows inside are whole words */
  uint32_t row_words, rows; /* of which columns are made */
  uint32_t is_clamped;
  uint32_t *columns;
  int8_t *patches, *stage;
  int8_t *y;
  const int8_t *residual, *end; /* of the input */
} conv_dsp;

static inline void conv_copy(int8_t *to, const int8_t *from, uint32_t n) {
  for (; n >= 4; n -= 4, to += 4, from += 4) memcpy(to, from, 4);
  while (n-- > 0) *to++ = *from++;
}

/* The window of a pixel as dense rows, byte by byte: the way that handles everything. */
static TML_NOINLINE void conv_gather(const conv_dsp *s, const conv_point *at, int8_t *patch) {
  const tml_conv2d_dsp_params *p = s->p;
  const uint32_t depth = p->in_c;
  const tml_window y = tml_make_window(at->oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
  const tml_window w = tml_make_window(at->ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
  const uint32_t is_dense = p->dilation_w == 1, taps = is_dense ? 1 : w.end - w.begin;
  const uint32_t bytes = is_dense ? (w.end - w.begin) * depth : depth;
  uint32_t ky, i;
  memset(patch, p->in_zero, s->k);
  if (w.begin == w.end) return;
  for (ky = y.begin; ky < y.end; ++ky) {
    const int8_t *from =
        at->image + (tml_tap(y, ky, p->dilation_h) * p->in_w + tml_tap(w, w.begin, p->dilation_w)) * depth;
    int8_t *to = patch + ky * s->run + w.begin * depth;
    for (i = 0; i < taps; ++i, from += p->dilation_w * depth, to += depth) conv_copy(to, from, bytes);
  }
}

/* A window inside of the input, whole words at a time: what a row writes too much the next one overwrites. */
static inline void conv_copy_rows(const conv_dsp *s, int8_t *to, const int8_t *from) {
  const uint32_t words = (s->run + 3) / 4;
  uint32_t ky, i;
  for (ky = s->p->kernel_h; ky > 0; --ky, to += s->run, from += s->pitch) {
    for (i = 0; i < words; ++i) tml_store4(to + 4 * i, tml_load4(from + 4 * i));
  }
}

/* Where the rows of the pixel's window stand, and the gap between them. */
static inline const int8_t *conv_rows(const conv_dsp *s, const conv_point *at, int8_t *patch, uint32_t *gap) {
  const tml_conv2d_dsp_params *p = s->p;
  const int32_t y = (int32_t)(at->oy * p->stride_h) - p->pad_top, x = (int32_t)(at->ox * p->stride_w) - p->pad_left;
  *gap = 0;
  if (y >= 0 && y <= s->last_y && x >= 0 && x <= s->last_x) {
    const int8_t *from = at->image + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
    if (s->is_direct) {
      *gap = s->pitch - s->run;
      return from;
    }
    if (p->dilation_w == 1 && s->reach <= (uint32_t)(s->end - from)) {
      conv_copy_rows(s, patch, from);
      return patch;
    }
  }
  conv_gather(s, at, patch);
  return patch;
}

static inline void conv_next(const conv_dsp *s, conv_point *at) {
  const tml_conv2d_dsp_params *p = s->p;
  if (++at->ox < p->out_w) return;
  at->ox = 0;
  if (++at->oy < p->out_h) return;
  at->oy = 0;
  at->image += (uint32_t)p->in_h * p->in_w * p->in_c;
}

/* Makes the columns of the next pixels, at most three; fewer at the end of the image: then the last is repeated. */
static TML_NOINLINE void conv_columns(const conv_dsp *s, conv_point *at, uint32_t pixels) {
  tml_dsp_rows rows;
  int8_t *patch = s->patches;
  uint32_t i;
  for (i = 0; i < TML_DSP_COLUMNS; ++i, patch += s->k) {
    rows.x[i] = conv_rows(s, at, patch, &rows.gap[i]);
    if (i + 1 < pixels) conv_next(s, at);
  }
  conv_next(s, at);
  tml_dsp_expand(s->columns, &rows, s->row_words, s->rows);
}

static void conv_clamp(const tml_conv2d_dsp_params *p, int8_t *y, uint32_t n) {
  const int8_t *end = y + n;
  for (; y != end; ++y) *y = (int8_t)tml_clamp(*y, p->clamp_min, p->clamp_max);
}

static TML_NOINLINE void conv_add(const tml_conv2d_dsp_params *p, const int8_t *x, const int8_t *residual, int8_t *y,
                                  uint32_t n) {
  const tml_output output = tml_make_output(p->add_shift, p->add_zero, p->add_min, p->add_max);
  const int32_t own = p->add_multiplier, other = p->residual_multiplier, bias = p->add_bias;
  const int8_t *end = x + n;
  while (x != end) *y++ = tml_finish((bias + *x++ * own + *residual++ * other) >> output.shift, output);
}

/* Fewer pixels than columns, or an odd channel: block by block through a buffer. */
static TML_NOINLINE void conv_partly(const conv_dsp *s, int8_t *y, uint32_t first, uint32_t pixels) {
  tml_dsp_block block = s->block;
  int8_t values[TML_DSP_COLUMNS * TML_DSP_CHANNELS];
  const uint32_t channels = s->p->out_c;
  uint32_t c, i;
  block.stride = TML_DSP_CHANNELS;
  block.y_end = values + TML_DSP_CHANNELS;
  block.stream += first / TML_DSP_CHANNELS * tml_dsp_block_words(s->k);
  for (c = first; c < channels; c += TML_DSP_CHANNELS) {
    block.y = values;
    tml_dsp_product(&block);
    block.stream += tml_dsp_block_words(s->k);
    for (i = 0; i < pixels; ++i) {
      y[i * channels + c] = values[i * TML_DSP_CHANNELS];
      if (c + 1 < channels) y[i * channels + c + 1] = values[i * TML_DSP_CHANNELS + 1];
    }
  }
}

/* All channels of the pixels whose columns are ready. */
static TML_NOINLINE void conv_outputs(conv_dsp *s, uint32_t pixels) {
  const tml_conv2d_dsp_params *p = s->p;
  const uint32_t n = p->out_c * pixels, whole = pixels == TML_DSP_COLUMNS ? p->out_c & ~1u : 0;
  int8_t *to = p->add_shift ? s->stage : s->y;
  s->block.y = to;
  s->block.y_end = to + whole;
  if (whole > 0) tml_dsp_product(&s->block);
  if (whole < p->out_c) conv_partly(s, to, whole, pixels);
  if (s->is_clamped) conv_clamp(p, to, n);
  if (p->add_shift) {
    conv_add(p, to, s->residual, s->y, n);
    s->residual += n;
  }
  s->y += n;
}

/* 1x1, stride 1: the pixels follow each other. */
static void conv_points(conv_dsp *s, const int8_t *x, uint32_t left) {
  const uint32_t depth = s->p->in_c, words = s->row_words;
  tml_dsp_rows rows;
  for (; left > 0; x += TML_DSP_COLUMNS * depth) {
    const uint32_t pixels = tml_min_u32(left, TML_DSP_COLUMNS);
    rows.x[0] = x;
    rows.x[1] = x + (pixels > 1 ? depth : 0);
    rows.x[2] = x + (pixels > 2 ? 2 * depth : 0);
    tml_dsp_expand(s->columns, &rows, words, 1);
    conv_outputs(s, pixels);
    left -= pixels;
  }
}

static void conv_setup(conv_dsp *s, const tml_conv2d_dsp_params *p, int8_t *scratch) {
  const uint32_t stage = p->add_shift ? tml_dsp_round_up(TML_DSP_COLUMNS * (uint32_t)p->out_c) : 0;
  s->p = p;
  s->run = (uint32_t)p->kernel_w * p->in_c;
  s->pitch = (uint32_t)p->dilation_h * p->in_w * p->in_c;
  s->k = tml_dsp_round_up(s->run * p->kernel_h);
  s->is_direct = s->run % 4u == 0 && p->dilation_w == 1;
  s->row_words = (s->is_direct ? s->run : s->k) / 4;
  s->rows = s->is_direct ? p->kernel_h : 1;
  s->reach = (p->kernel_h - 1u) * s->pitch + tml_dsp_round_up(s->run);
  s->last_y = p->in_h - (p->kernel_h - 1) * p->dilation_h - 1;
  s->last_x = p->in_w - p->kernel_w;
  s->is_clamped = p->clamp_min > -128 || p->clamp_max < 127;
  s->stage = scratch;
  s->columns = (uint32_t *)(void *)(scratch + stage);
  s->block.zero = p->out_zero;
  s->block.stride = p->out_c;
  s->block.x = s->columns;
  s->block.x_end = s->columns + tml_dsp_column_words(s->k);
  s->block.skip = tml_dsp_skip(s->k);
  s->block.stream = p->stream;
  s->patches = (int8_t *)(s->columns + tml_dsp_column_words(s->k));
}

static uint32_t conv_is_pointwise(const conv_dsp *s) {
  const tml_conv2d_dsp_params *p = s->p;
  return s->is_direct && p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 &&
         p->pad_top == 0 && p->pad_left == 0 && p->out_h == p->in_h && p->out_w == p->in_w;
}

int tml_conv2d_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_dsp_params *p = (const tml_conv2d_dsp_params *)params;
  uint32_t left = (uint32_t)p->batches * p->out_h * p->out_w;
  conv_dsp s;
  conv_point at;
  at.image = tml_operand(context, operands[0]);
  at.oy = at.ox = 0;
  s.end = at.image + (uint32_t)p->batches * p->in_h * p->in_w * p->in_c;
  s.residual = at.image;
  if (p->add_shift) s.residual = tml_operand(context, *++operands);
  s.y = tml_operand(context, operands[1]);
  conv_setup(&s, p, tml_operand(context, operands[2]));
  if (conv_is_pointwise(&s)) {
    conv_points(&s, at.image, left);
    return TML_OK;
  }
  while (left > 0) {
    const uint32_t pixels = tml_min_u32(left, TML_DSP_COLUMNS);
    conv_columns(&s, &at, pixels);
    conv_outputs(&s, pixels);
    left -= pixels;
  }
  return TML_OK;
}
