/* conv2d_s8_mve.c: 2-D convolution for Helium, two output pixels by four channels at a time (mve_product.h).
 *
 * operands: x, [residual,] y, [scratch]; packed constants, scratch and what may overlap: see the record. groups = 1.
 * The pixels of a 1x1 convolution are read where they stand if their depth is a multiple of 8; every other window is
 * gathered into a patch first, two of which are the scratch. An odd pixel at the end is computed as both of a pair.
 */
#include "conv2d_in_place.h"
#include "mve_product.h"
#include "window.h"

typedef struct conv_mve {
  const tml_conv2d_dsp_params *p;
  tml_mve_product product; /* x0, x1, y and pairs are set for each run */
  tml_mve_add add;
  const int8_t *residual;
  int8_t *stage, *patches;
  uint32_t k;            /* of a patch: taps, rounded up */
  uint32_t run;          /* bytes of a kernel row */
  uint32_t row, pitch;   /* bytes of an input row, and from one kernel row to the next */
  uint32_t origin;       /* bytes of stride_w pixels */
  int32_t last_x;        /* the last origin at which a whole window lies inside */
  uint32_t inner, outer; /* output columns whose windows lie inside: from, to */
  uint32_t is_plain;     /* whole blocks, no clamp, nothing added */
} conv_mve;

/* The window of an output pixel whose taps are not neighbours, as a dense patch. */
static TML_NOINLINE void conv_gather_dilated(const conv_mve *s, const int8_t *rows, tml_window y, uint32_t ox,
                                             int8_t *patch) {
  const tml_conv2d_dsp_params *p = s->p;
  const tml_window x = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
  uint32_t ky, kx;
  tml_mve_fill(patch, p->in_zero, s->k);
  for (ky = y.begin; ky < y.end; ++ky, rows += s->pitch) {
    for (kx = x.begin; kx < x.end; ++kx) {
      tml_mve_copy(patch + ky * s->run + kx * p->in_c, rows + tml_tap(x, kx, p->dilation_w) * p->in_c, p->in_c);
    }
  }
}

/* rows: the first input row inside of the window, at column 0. */
static inline void conv_gather(const conv_mve *s, const int8_t *rows, tml_window y, uint32_t ox, int8_t *patch) {
  const tml_conv2d_dsp_params *p = s->p;
  const int32_t x = (int32_t)(ox * p->stride_w) - p->pad_left, depth = p->in_c;
  const int32_t begin = x < 0 ? -x : 0, end = x > s->last_x ? p->in_w - x : p->kernel_w;
  if (p->dilation_w > 1) {
    conv_gather_dilated(s, rows, y, ox, patch);
    return;
  }
  if (y.end - y.begin < p->kernel_h || end - begin < p->kernel_w) tml_mve_fill(patch, p->in_zero, s->k);
  if (end <= begin || y.begin == y.end) return;
  tml_mve_copy_rows(patch + y.begin * s->run + begin * depth, rows + (x + begin) * depth,
                    (uint32_t)((end - begin) * depth), y.end - y.begin, s->run, s->pitch);
}

/* The channels behind the last whole block of four, of one pair. */
static TML_NOINLINE void conv_tail(const conv_mve *s, tml_mve_product product, uint32_t tail) {
  int8_t last[8];
  int8_t *y = product.y_end;
  uint32_t i;
  const uint32_t second = product.second;
  product.stream += s->p->out_c / 4u * tml_mve_block_words(16 * product.steps + product.tail);
  product.y = last;
  product.y_end = last + 4;
  product.second = 4;
  product.rows = 0; /* the whole blocks have gathered */
  tml_mve_pairs(&product);
  for (i = 0; i < tail; ++i) {
    y[i + second] = last[i + 4];
    y[i] = last[i];
  }
}

/* All channels of one pair or, where all blocks are whole and nothing is added, of several. Returns the end of the
 * outputs. */
static TML_NOINLINE int8_t *conv_pairs(conv_mve *s, const int8_t *x0, const int8_t *x1, int8_t *y, uint32_t pairs) {
  const tml_conv2d_dsp_params *p = s->p;
  tml_mve_product *b = &s->product;
  const uint32_t pitch = b->channels, tail = p->out_c & 3u, n = x0 == x1 ? pitch : 2 * pairs * pitch;
  int8_t *to = p->add_shift ? s->stage : y;
  b->x0 = x0;
  b->x1 = x1;
  b->second = x0 == x1 ? 0 : pitch;
  b->pairs = pairs;
  b->y = to;
  b->y_end = to + (p->out_c - tail);
  if (b->y != b->y_end) tml_mve_pairs(b);
  if (tail) {
    b->pairs = 1;
    b->y_end = to + (p->out_c - tail);
    conv_tail(s, *b, tail);
  }
  if (p->clamp_min > -128 || p->clamp_max < 127) tml_mve_clamp(to, n, p->clamp_min, p->clamp_max);
  if (p->add_shift) {
    tml_mve_add_row(&s->add, to, s->residual, y, n);
    s->residual += n;
  }
  return y + n;
}

/* Pairs in the patches, or of windows that are gathered there. */
static inline int8_t *conv_patch_pairs(conv_mve *s, int8_t *y, uint32_t pairs) {
  const uint32_t channels = s->product.channels;
  if (!s->is_plain) {
    for (; pairs > 0; --pairs) y = conv_pairs(s, s->patches, s->patches + s->k, y, 1);
    return y;
  }
  s->product.x0 = s->patches;
  s->product.x1 = s->patches + s->k;
  s->product.y = y;
  s->product.y_end = y + s->p->out_c;
  s->product.pairs = pairs;
  s->product.second = channels;
  tml_mve_pairs(&s->product);
  return y + 2 * pairs * channels;
}

/* Pairs of windows that lie inside, the first at `window`. */
static TML_NOINLINE int8_t *conv_inner_pairs(conv_mve *s, const int8_t *window, int8_t *y, uint32_t pairs) {
  s->product.rows = s->p->kernel_h;
  s->product.window = window;
  y = conv_patch_pairs(s, y, pairs);
  s->product.rows = 0;
  return y;
}

/* `count` pixels that are x_step apart, read where they stand. */
static int8_t *conv_dense(conv_mve *s, const int8_t *x, int8_t *y, uint32_t count, uint32_t x_step) {
  const uint32_t at_once = (s->p->out_c & 3u) == 0 && s->p->add_shift == 0 ? count / 2 : 1;
  s->product.x_step = 2 * x_step;
  for (; count > 1; count -= 2 * at_once, x += 2 * at_once * x_step) y = conv_pairs(s, x, x + x_step, y, at_once);
  return count > 0 ? conv_pairs(s, x, x, y, 1) : y;
}

static void conv_rows(conv_mve *s, const int8_t *x, int8_t *y) {
  const tml_conv2d_dsp_params *p = s->p;
  const uint32_t rows = (uint32_t)p->batches * p->out_h;
  uint32_t b, oy;
  if (p->stride_w == 1 && p->stride_h == 1 && p->in_w == p->out_w && p->in_h == p->out_h) {
    conv_dense(s, x, y, rows * p->out_w, p->in_c);
    return;
  }
  for (b = 0; b < p->batches; ++b, x += p->in_h * s->row) {
    for (oy = 0; oy < p->out_h; ++oy) y = conv_dense(s, x + oy * p->stride_h * s->row, y, p->out_w, s->origin);
  }
}

static void conv_patches(conv_mve *s, const int8_t *x, int8_t *y) {
  const tml_conv2d_dsp_params *p = s->p;
  int8_t *const first = s->patches, *const second = first + s->k, *patch = first;
  uint32_t b, oy, ox;
  for (b = 0; b < p->batches; ++b, x += p->in_h * s->row) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window w = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      const int8_t *rows = w.begin < w.end ? x + tml_tap(w, w.begin, p->dilation_h) * s->row : x;
      const uint32_t outer = tml_window_full(w, p->kernel_h) ? s->outer : 0;
      for (ox = 0; ox < p->out_w; ++ox) {
        if (patch == first && ox >= s->inner && ox + 1 < outer) {
          const uint32_t pairs = (outer - ox) / 2;
          y = conv_inner_pairs(s, rows + ((int32_t)(ox * p->stride_w) - p->pad_left) * p->in_c, y, pairs);
          ox += 2 * pairs - 1;
          continue;
        }
        conv_gather(s, rows, w, ox, patch);
        if (patch == second) y = conv_patch_pairs(s, y, 1);
        patch = patch == second ? first : second;
      }
    }
  }
  if (patch == second) conv_pairs(s, first, first, y, 1);
}

static void conv_setup(conv_mve *s, const tml_conv2d_dsp_params *p, int8_t *scratch) {
  s->p = p;
  s->run = (uint32_t)p->kernel_w * p->in_c;
  s->k = tml_mve_round_up(s->run * p->kernel_h);
  s->row = (uint32_t)p->in_w * p->in_c;
  s->origin = (uint32_t)p->stride_w * p->in_c;
  s->pitch = p->dilation_h * s->row;
  s->last_x = p->in_w - p->kernel_w;
  s->inner = ((uint32_t)p->pad_left + p->stride_w - 1) / p->stride_w;
  s->outer = 0;
  if (s->last_x >= 0 && p->dilation_w == 1 && p->out_c >= 4)
    s->outer = ((uint32_t)s->last_x + p->pad_left) / p->stride_w + 1;
  s->outer = tml_min_u32(s->outer, p->out_w);
  s->is_plain = p->out_c % 4 == 0 && p->add_shift == 0 && p->clamp_min == -128 && p->clamp_max == 127;
  s->stage = scratch;
  s->patches = scratch + (p->add_shift ? 2u * p->out_c : 0u);
  s->product.channels = p->out_c + (p->add_shift ? 0u : (uint32_t)p->add_bias);
  s->product.stream = p->stream;
  s->product.steps = s->k / 16;
  s->product.tail = s->k & 8u;
  s->product.zero = p->out_zero;
  s->product.x_step = 0;
  s->product.rows = 0;
  s->product.window_n = s->run;
  s->product.window_pitch = (int32_t)(s->pitch - tml_mve_groups(s->run));
  s->product.patch_pitch = (int32_t)(s->run - tml_mve_groups(s->run));
  s->product.window_next = (int32_t)(s->origin - p->kernel_h * s->pitch);
  s->product.patches = s->patches;
  s->add.bias = p->add_bias;
  s->add.a_multiplier = p->add_multiplier;
  s->add.b_multiplier = p->residual_multiplier;
  s->add.shift = p->add_shift;
  s->add.zero = p->add_zero;
  s->add.low = p->add_min;
  s->add.high = p->add_max;
}

int tml_conv2d_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_dsp_params *p = (const tml_conv2d_dsp_params *)params;
  const int is_dense = tml_conv2d_reads_in_place(p);
  const int8_t *x = tml_operand(context, operands[0]);
  conv_mve s;
  int8_t *y, *scratch;
  if (p->add_shift) s.residual = tml_operand(context, *++operands);
  y = tml_operand(context, operands[1]);
  scratch = is_dense && p->add_shift == 0 ? y : tml_operand(context, operands[2]);
  conv_setup(&s, p, scratch);
  if (is_dense) {
    conv_rows(&s, x, y);
  } else {
    conv_patches(&s, x, y);
  }
  return TML_OK;
}
