/* conv2d_dsp.c: what the 2-D convolutions with SMLAD share: all but the products (dsp_product.h).
 *
 * Three output pixels by two channels at a time. operands: x, [residual,] y, scratch; packed constants, scratch and
 * what may overlap: see the record. groups = 1. The windows of three pixels become columns of int16 pairs. Where a
 * kernel row is one run of whole words inside of the input it is read where it stands; else (padding, dilation, few
 * channels) the window is first gathered into a patch of bytes.
 */
#include "conv2d_dsp.h"

#include "dsp_columns.h"
#include "window.h"

typedef struct conv_point { /* an output pixel */
  int32_t y, x;             /* where its window begins in the input */
  int32_t from;             /* the same as an offset */
  uint32_t inside;          /* x below this: the whole window lies inside */
  uint32_t columns, rows;   /* pixels left in the row, rows left in the image, itself included */
} conv_point;

typedef struct conv_dsp {
  const tml_conv2d_dsp_params *p;
  const tml_dsp_kind *kind;
  tml_dsp_block block;
  conv_point at;
  int32_t last_y, last_x;   /* the last origins at which a whole window lies inside */
  int32_t last_from;        /* the last window whose rows may be read in whole words */
  uint32_t run, pitch;      /* bytes of a kernel row, and from one to the next in the input */
  uint32_t step;            /* bytes from a pixel's window to the next one's */
  uint32_t k, patch;        /* taps, rounded up; bytes of a patch */
  uint32_t is_direct;       /* rows inside are whole words */
  uint32_t row_words, rows; /* of which columns are made */
  uint32_t is_clamped;
  uint32_t *columns;
  int8_t *patches, *stage;
  int8_t *y;
  const int8_t *x, *residual;
} conv_dsp;

static inline void conv_copy(int8_t *to, const int8_t *from, uint32_t n) {
  for (; n >= 4; n -= 4, to += 4, from += 4) tml_store4(to, tml_load4(from));
  while (n-- > 0) *to++ = *from++;
}

/* The window of a pixel as dense rows, padding included: the way that handles everything. */
static TML_NOINLINE void conv_gather(const conv_dsp *s, int8_t *patch) {
  const tml_conv2d_dsp_params *p = s->p;
  const uint32_t depth = p->in_c, is_dense = p->dilation_w == 1, step = p->dilation_w * depth;
  const uint32_t padding = (uint8_t)p->in_zero * 0x01010101u;
  const tml_window y = tml_make_window(0, 0, (uint32_t)-s->at.y, p->kernel_h, p->dilation_h, p->in_h);
  const tml_window w = tml_make_window(0, 0, (uint32_t)-s->at.x, p->kernel_w, p->dilation_w, p->in_w);
  const uint32_t taps = is_dense ? w.begin < w.end : w.end - w.begin;
  const uint32_t bytes = is_dense ? (w.end - w.begin) * depth : depth;
  const int8_t *row = s->x + (s->at.from + (int32_t)(y.begin * s->pitch + w.begin * step)), *from;
  int8_t *to;
  uint32_t ky, i;
  for (to = patch; to != patch + s->k; to += 4) tml_store4(to, padding);
  patch += y.begin * s->run + w.begin * depth;
  for (ky = y.begin; ky < y.end; ++ky, patch += s->run, row += s->pitch) {
    for (i = 0, from = row, to = patch; i < taps; ++i, from += step, to += depth) conv_copy(to, from, bytes);
  }
}

static void conv_begin_row(conv_dsp *s) {
  const tml_conv2d_dsp_params *p = s->p;
  conv_point *at = &s->at;
  at->columns = p->out_w;
  at->x = -(int32_t)p->pad_left;
  at->from = (at->y * p->in_w + at->x) * p->in_c;
  at->inside = at->y >= 0 && at->y <= s->last_y && s->last_x >= 0 ? (uint32_t)s->last_x + 1 : 0;
}

static void conv_begin_image(conv_dsp *s) {
  s->at.rows = s->p->out_h;
  s->at.y = -(int32_t)s->p->pad_top;
}

static TML_NOINLINE void conv_next_row(conv_dsp *s) {
  s->at.y += s->p->stride_h;
  if (--s->at.rows == 0) {
    const int32_t image = s->p->in_h * s->p->in_w * s->p->in_c;
    s->x += image;
    s->last_from -= image;
    conv_begin_image(s);
  }
  conv_begin_row(s);
}

/* Windows whose rows are no whole words: `inside` of them stand in the input, the others in patches already. */
static TML_NOINLINE void conv_make_patches(const conv_dsp *s, tml_dsp_rows *rows, uint32_t inside) {
  const uint32_t words = (s->run + 3) / 4;
  int8_t *patch = s->patches;
  uint32_t i, ky;
  if (inside == TML_DSP_COLUMNS) {
    tml_dsp_copy copy;
    copy.words = words;
    copy.from_gap = s->pitch - 4 * words;
    copy.patch = s->patch;
    copy.to_gap = s->run - 4 * words;
    copy.rows = s->p->kernel_h;
    for (i = 0; i < TML_DSP_COLUMNS; ++i) copy.x[i] = rows->x[i];
    tml_dsp_copy_rows(patch, &copy);
  }
  for (i = 0; i < TML_DSP_COLUMNS; ++i, patch += s->patch) {
    if (inside < TML_DSP_COLUMNS && rows->x[i] != patch) {
      for (ky = 0; ky < s->p->kernel_h; ++ky) conv_copy(patch + ky * s->run, rows->x[i] + ky * s->pitch, s->run);
    }
    rows->x[i] = patch;
  }
}

static inline void conv_advance(conv_dsp *s, uint32_t pixels) {
  s->at.x += (int32_t)(pixels * s->p->stride_w);
  s->at.from += (int32_t)(pixels * s->step);
  s->at.columns -= pixels;
  if (s->at.columns == 0) conv_next_row(s);
}

/* Three neighbours inside of the input, the usual case. */
static inline uint32_t conv_three_inside(const conv_dsp *s, uint32_t pixels) {
  const int32_t last = s->at.x + 2 * s->p->stride_w;
  return pixels == TML_DSP_COLUMNS && s->at.columns >= TML_DSP_COLUMNS && s->at.x >= 0 &&
         (uint32_t)last < s->at.inside && s->at.from + 2 * (int32_t)s->step <= s->last_from;
}

/* Windows of neighbours that are not all inside: pixel by pixel. Returns how many stand in the input. */
static TML_NOINLINE uint32_t conv_find_windows(conv_dsp *s, uint32_t pixels, tml_dsp_rows *rows) {
  int8_t *patch = s->patches;
  uint32_t i, inside = 0;
  for (i = 0; i < TML_DSP_COLUMNS; ++i, patch += s->patch) {
    if ((uint32_t)s->at.x < s->at.inside && s->at.from <= s->last_from) {
      rows->x[i] = s->x + s->at.from;
      ++inside;
    } else {
      conv_gather(s, patch);
      rows->x[i] = patch;
      rows->gap[i] = 0;
    }
    if (i + 1 < pixels) conv_advance(s, 1);
  }
  conv_advance(s, 1);
  return inside;
}

/* Makes the columns of the next pixels, at most three; with fewer the last is repeated. */
static TML_NOINLINE void conv_columns(conv_dsp *s, uint32_t pixels) {
  tml_dsp_rows rows;
  uint32_t inside = TML_DSP_COLUMNS;
  rows.gap[0] = rows.gap[1] = rows.gap[2] = s->pitch - s->run;
  if (conv_three_inside(s, pixels)) {
    rows.x[0] = s->x + s->at.from;
    rows.x[1] = rows.x[0] + s->step;
    rows.x[2] = rows.x[1] + s->step;
    conv_advance(s, TML_DSP_COLUMNS);
  } else {
    inside = conv_find_windows(s, pixels, &rows);
  }
  if (!s->is_direct) conv_make_patches(s, &rows, inside);
  tml_dsp_expand(s->columns, &rows, s->row_words, s->rows);
}

static void conv_clamp(int8_t *y, uint32_t n, int32_t low, int32_t high) {
  const int8_t *end = y + n;
  for (; y != end; ++y) *y = (int8_t)tml_clamp(*y, low, high);
}

static TML_NOINLINE void conv_add(conv_dsp *s, uint32_t n) {
  const tml_conv2d_dsp_params *p = s->p;
  tml_dsp_add add;
  add.own = p->add_multiplier;
  add.other = p->residual_multiplier;
  add.bias = p->add_bias;
  add.shift = p->add_shift;
  add.zero = p->add_zero;
  tml_dsp_add_residual(s->y, s->stage, s->residual, n, &add);
  if (p->add_min > -128 || p->add_max < 127) conv_clamp(s->y, n, p->add_min, p->add_max);
  s->residual += n;
}

/* Fewer pixels than columns, or an odd channel: block by block through a buffer. */
static TML_NOINLINE void conv_partly(const conv_dsp *s, int8_t *y, uint32_t first, uint32_t pixels) {
  tml_dsp_block block = s->block;
  int8_t values[TML_DSP_COLUMNS * TML_DSP_CHANNELS];
  const uint32_t channels = s->p->out_c, pitch = block.stride;
  uint32_t c, i;
  block.stride = TML_DSP_CHANNELS;
  block.y_end = values + TML_DSP_CHANNELS;
  block.stream += first / TML_DSP_CHANNELS * s->kind->block_words;
  for (c = first; c < channels; c += TML_DSP_CHANNELS) {
    block.y = values;
    s->kind->product(&block);
    block.stream += s->kind->block_words;
    for (i = 0; i < pixels; ++i) {
      y[i * pitch + c] = values[i * TML_DSP_CHANNELS];
      if (c + 1 < channels) y[i * pitch + c + 1] = values[i * TML_DSP_CHANNELS + 1];
    }
  }
}

/* All channels of the pixels whose columns are ready. */
static TML_NOINLINE void conv_outputs(conv_dsp *s, uint32_t pixels) {
  const tml_conv2d_dsp_params *p = s->p;
  const uint32_t n = s->block.stride * pixels, whole = pixels == TML_DSP_COLUMNS ? p->out_c & ~1u : 0;
  int8_t *to = p->add_shift ? s->stage : s->y;
  s->block.y = to;
  s->block.y_end = to + whole;
  if (whole > 0) s->kind->product(&s->block);
  if (whole < p->out_c) conv_partly(s, to, whole, pixels);
  if (s->is_clamped) conv_clamp(to, n, p->clamp_min, p->clamp_max);
  if (p->add_shift) conv_add(s, n);
  s->y += n;
}

/* 1x1, stride 1: the pixels follow each other. */
static void conv_points(conv_dsp *s, uint32_t left) {
  const uint32_t depth = s->p->in_c, words = s->row_words;
  const int8_t *x = s->x;
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
  const uint32_t bytes = (uint32_t)p->batches * p->in_h * p->in_w * p->in_c;
  s->p = p;
  s->run = (uint32_t)p->kernel_w * p->in_c;
  s->pitch = (uint32_t)p->dilation_h * p->in_w * p->in_c;
  s->step = (uint32_t)p->stride_w * p->in_c;
  s->k = tml_dsp_round_up(s->run * p->kernel_h);
  s->patch = s->k + 4;
  s->is_direct = s->run % 4u == 0 && p->dilation_w == 1;
  s->row_words = (s->is_direct ? s->run : s->k) / 4;
  s->rows = s->is_direct ? p->kernel_h : 1;
  s->last_y = p->in_h - (p->kernel_h - 1) * p->dilation_h - 1;
  s->last_x = p->dilation_w == 1 ? p->in_w - p->kernel_w : -1;
  s->last_from = (int32_t)(bytes - (p->kernel_h - 1u) * s->pitch - tml_dsp_round_up(s->run));
  s->is_clamped = p->clamp_min > -128 || p->clamp_max < 127;
  s->stage = scratch;
  s->columns = (uint32_t *)(void *)(scratch + stage);
  s->patches = (int8_t *)(s->columns + tml_dsp_column_words(s->k));
  s->block.shift = s->kind->shift;
  s->block.zero = p->out_zero;
  s->block.stride = p->out_c + (p->add_shift ? 0u : (uint32_t)p->add_bias);
  s->block.x = s->columns;
  s->block.x_end = s->columns + tml_dsp_column_words(s->k);
  s->block.skip = s->kind->skip;
  s->block.stream = p->stream;
  conv_begin_image(s);
  conv_begin_row(s);
}

static uint32_t conv_is_pointwise(const conv_dsp *s) {
  const tml_conv2d_dsp_params *p = s->p;
  return s->is_direct && p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 &&
         p->pad_top == 0 && p->pad_left == 0 && p->out_h == p->in_h && p->out_w == p->in_w;
}

int tml_conv2d_dsp_run(const tml_context *context, const tml_conv2d_dsp_params *p, const uint32_t *operands,
                       const tml_dsp_kind *kind) {
  uint32_t left = (uint32_t)p->batches * p->out_h * p->out_w;
  conv_dsp s;
  s.kind = kind;
  s.x = s.residual = tml_operand(context, operands[0]);
  if (p->add_shift) s.residual = tml_operand(context, *++operands);
  s.y = tml_operand(context, operands[1]);
  conv_setup(&s, p, tml_operand(context, operands[2]));
  if (conv_is_pointwise(&s)) {
    conv_points(&s, left);
    return TML_OK;
  }
  while (left > 0) {
    const uint32_t pixels = tml_min_u32(left, TML_DSP_COLUMNS);
    conv_columns(&s, pixels);
    conv_outputs(&s, pixels);
    left -= pixels;
  }
  return TML_OK;
}
