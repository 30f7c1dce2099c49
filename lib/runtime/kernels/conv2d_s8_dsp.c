/* conv2d_s8_dsp.c: 2-D convolution, two output pixels by four channels at a time (dsp_product.h).
 *
 * operands: x, [residual,] y, scratch; packed constants, scratch and what may overlap: see the record. groups = 1.
 * The windows of two pixels become two columns of int16 pairs. Where a kernel row is one run of whole words inside of
 * the input it is read where it stands; else (padding, dilation, few channels) the window is first gathered into a
 * patch of bytes. An odd pixel at the end is computed as both columns.
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
  int32_t last_y, last_x; /* the last origins at which a whole window lies inside */
  uint32_t run, pitch;    /* bytes of a kernel row, and from one to the next in the input */
  uint32_t k;             /* taps, rounded up */
  uint32_t is_direct;     /* rows inside are whole words */
  uint32_t *columns;
  int8_t *patches, *stage;
  const int8_t *residual;
} conv_dsp;

static inline void conv_copy(int8_t *to, const int8_t *from, uint32_t n) {
  for (; n >= 4; n -= 4, to += 4, from += 4) memcpy(to, from, 4);
  while (n-- > 0) *to++ = *from++;
}

/* The taps inside of kernel row ky. */
static void conv_gather_row(const conv_dsp *s, const int8_t *row, tml_window w, int8_t *to) {
  const tml_conv2d_dsp_params *p = s->p;
  const uint32_t depth = p->in_c;
  uint32_t kx;
  to += w.begin * depth;
  row += tml_tap(w, w.begin, p->dilation_w) * depth;
  if (p->dilation_w == 1) {
    conv_copy(to, row, (w.end - w.begin) * depth);
    return;
  }
  for (kx = w.begin; kx < w.end; ++kx, to += depth, row += p->dilation_w * depth) conv_copy(to, row, depth);
}

static TML_NOINLINE void conv_gather(const conv_dsp *s, const conv_point *at, int8_t *patch) {
  const tml_conv2d_dsp_params *p = s->p;
  const tml_window y = tml_make_window(at->oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
  const tml_window w = tml_make_window(at->ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
  uint32_t ky;
  if (!tml_window_full(y, p->kernel_h) || !tml_window_full(w, p->kernel_w)) memset(patch, p->in_zero, s->k);
  if (w.begin == w.end) return;
  for (ky = y.begin; ky < y.end; ++ky) {
    const int8_t *row = at->image + tml_tap(y, ky, p->dilation_h) * p->in_w * p->in_c;
    conv_gather_row(s, row, w, patch + ky * s->run);
  }
}

/* Where the rows of the pixel's window stand, and how far apart. */
static inline const int8_t *conv_rows(const conv_dsp *s, const conv_point *at, int8_t *patch, uint32_t *pitch) {
  const tml_conv2d_dsp_params *p = s->p;
  const int32_t y = (int32_t)(at->oy * p->stride_h) - p->pad_top, x = (int32_t)(at->ox * p->stride_w) - p->pad_left;
  if (s->is_direct && y >= 0 && y <= s->last_y && x >= 0 && x <= s->last_x) {
    *pitch = s->pitch;
    return at->image + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
  }
  conv_gather(s, at, patch);
  *pitch = s->run;
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

/* Makes the columns of the next one or two pixels. */
static TML_NOINLINE void conv_columns(const conv_dsp *s, conv_point *at, uint32_t pixels) {
  uint32_t pitch0, pitch1, *to = s->columns, rows = s->p->kernel_h;
  const int8_t *row0 = conv_rows(s, at, s->patches, &pitch0), *row1 = row0;
  conv_next(s, at);
  pitch1 = pitch0;
  if (pixels > 1) {
    row1 = conv_rows(s, at, s->patches + s->k, &pitch1);
    conv_next(s, at);
  }
  if (!s->is_direct) {
    tml_dsp_expand(to, row0, row1, s->k / 4);
    return;
  }
  for (; rows > 0; --rows, row0 += pitch0, row1 += pitch1) to = tml_dsp_expand(to, row0, row1, s->run / 4);
}

/* The channels behind the last whole block of four. */
static TML_NOINLINE void conv_tail(tml_dsp_block block, int8_t *y, uint32_t channels) {
  int8_t last[8];
  uint32_t i;
  const uint32_t stride = block.stride;
  block.stride = 4;
  block.y = last;
  block.y_end = last + 4;
  tml_dsp_pair(&block);
  for (i = 0; i < channels; ++i) {
    y[i + stride] = last[i + 4];
    y[i] = last[i];
  }
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

/* All channels of the pixels whose columns are ready; returns where the next go. */
static TML_NOINLINE int8_t *conv_outputs(conv_dsp *s, int8_t *y, uint32_t pixels) {
  const tml_conv2d_dsp_params *p = s->p;
  const uint32_t tail = p->out_c & 3u, n = p->out_c * pixels;
  tml_dsp_block *b = &s->block;
  int8_t *to = p->add_shift ? s->stage : y;
  b->stride = pixels > 1 ? p->out_c : 0;
  b->y = to;
  b->y_end = to + p->out_c - tail;
  if (b->y != b->y_end) tml_dsp_pair(b);
  if (tail) {
    tml_dsp_block last = *b;
    last.stream += p->out_c / 4u * tml_dsp_block_words(s->k);
    conv_tail(last, b->y_end, tail);
  }
  if (p->clamp_min > -128 || p->clamp_max < 127) conv_clamp(p, to, n);
  if (p->add_shift) {
    conv_add(p, to, s->residual, y, n);
    s->residual += n;
  }
  return y + n;
}

static void conv_setup(conv_dsp *s, const tml_conv2d_dsp_params *p, int8_t *scratch) {
  s->p = p;
  s->run = (uint32_t)p->kernel_w * p->in_c;
  s->pitch = (uint32_t)p->dilation_h * p->in_w * p->in_c;
  s->k = tml_dsp_round_up(s->run * p->kernel_h);
  s->is_direct = s->run % 4u == 0 && p->dilation_w == 1;
  s->last_y = p->in_h - (p->kernel_h - 1) * p->dilation_h - 1;
  s->last_x = p->in_w - p->kernel_w;
  s->stage = scratch;
  s->columns = (uint32_t *)(void *)(scratch + (p->add_shift ? tml_dsp_round_up(2u * p->out_c) : 0u));
  s->patches = (int8_t *)(s->columns + s->k);
  s->block.zero = p->out_zero;
  s->block.x = s->columns;
  s->block.x_end = s->columns + s->k;
  s->block.skip = tml_dsp_skip(s->k);
  s->block.stream = p->stream;
}

int tml_conv2d_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_dsp_params *p = (const tml_conv2d_dsp_params *)params;
  uint32_t left = (uint32_t)p->batches * p->out_h * p->out_w;
  conv_dsp s;
  conv_point at;
  int8_t *y;
  at.image = tml_operand(context, operands[0]);
  at.oy = at.ox = 0;
  if (p->add_shift) s.residual = tml_operand(context, *++operands);
  y = tml_operand(context, operands[1]);
  conv_setup(&s, p, tml_operand(context, operands[2]));
  for (; left > 1; left -= 2) {
    conv_columns(&s, &at, 2);
    y = conv_outputs(&s, y, 2);
  }
  if (left > 0) {
    conv_columns(&s, &at, 1);
    conv_outputs(&s, y, 1);
  }
  return TML_OK;
}
