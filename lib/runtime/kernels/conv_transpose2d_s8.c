/* conv_transpose2d_s8.c: transposed 2-D convolution. Every output gathers its inputs, so no scratch is needed.
 *
 * operands: x [batches][in_h][in_w][in_c], y [batches][out_h][out_w][out_c]. Weights
 * [out_c][kernel_h][kernel_w][in_c / groups], int8. Output (oy, ox) sums over the taps (ky, kx) for
 * which (oy + pad_top - ky * dilation_h) / stride_h is an input row, columns alike. A tap without an input adds
 * nothing: the bias holds no zero-point term and in_zero is subtracted from each input.
 */
#include "dot.h"

typedef struct transpose_pixel {
  const int8_t *x; /* the image, at the group's first channel */
  uint32_t y, w;   /* oy + pad_top, ox + pad_left */
  uint32_t depth;  /* channels of the group */
} transpose_pixel;

/* The input position of a tap, or `extent` where it has none. */
static uint32_t transpose_source(uint32_t out, uint32_t tap, uint32_t stride, uint32_t extent) {
  const uint32_t distance = out - tap;
  if (tap > out || distance % stride != 0 || distance / stride >= extent) return extent;
  return distance / stride;
}

static TML_NOINLINE void transpose_sum(const tml_conv2d_params *p, const transpose_pixel *s, const int8_t *weights,
                                       tml_dot_block *block) {
  uint32_t ky, kx;
  for (ky = 0; ky < p->kernel_h; ++ky) {
    const uint32_t iy = transpose_source(s->y, ky * p->dilation_h, p->stride_h, p->in_h);
    for (kx = 0; kx < p->kernel_w && iy < p->in_h; ++kx) {
      const uint32_t ix = transpose_source(s->w, kx * p->dilation_w, p->stride_w, p->in_w);
      if (ix >= p->in_w) continue;
      tml_dot_run(block, s->x + (iy * p->in_w + ix) * p->in_c, p->in_zero, weights + (ky * p->kernel_w + kx) * s->depth,
                  s->depth);
    }
  }
}

static TML_NOINLINE void transpose_groups(const tml_conv2d_params *p, transpose_pixel s, int8_t *y) {
  tml_dot_output o;
  uint32_t g, next;
  o.weights = p->weights;
  o.bias = p->bias;
  o.store.multipliers = p->multipliers;
  o.stride = (uint32_t)p->kernel_h * p->kernel_w * s.depth;
  o.count = (uint32_t)p->out_c / p->groups;
  o.store.step = p->multiplier_step;
  o.store.rows = tml_dot_block_rows(o.count);
  o.store.output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  for (g = 0; g < p->groups; ++g, s.x += s.depth, y += o.count) {
    for (next = 0; next < o.count; next += o.store.rows) {
      const uint32_t first = tml_dot_first(&o, next);
      tml_dot_block block;
      tml_dot_begin(&o, first, &block);
      transpose_sum(p, &s, o.weights + first * o.stride, &block);
      tml_store_rows(&o.store, first, block.acc, y + first);
    }
    o.weights += o.count * o.stride;
    o.bias += o.count;
    o.store.multipliers += o.count * o.store.step;
  }
}

int tml_conv_transpose2d_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_params *p = (const tml_conv2d_params *)params;
  int8_t *y = tml_operand(context, operands[1]);
  transpose_pixel s;
  uint32_t b, oy, ox;
  s.x = tml_operand(context, operands[0]);
  s.depth = (uint32_t)p->in_c / p->groups;
  for (b = 0; b < p->batches; ++b, s.x += (uint32_t)p->in_h * p->in_w * p->in_c) {
    for (oy = 0; oy < p->out_h; ++oy) {
      s.y = oy + p->pad_top;
      for (ox = 0; ox < p->out_w; ++ox, y += p->out_c + p->out_gap) {
        s.w = ox + p->pad_left;
        transpose_groups(p, s, y);
      }
    }
  }
  return TML_OK;
}
