/* depthwise_conv2d_s8.c: 2-D convolution with one input channel per output channel (groups = in_c).
 *
 * operands: x [batches][in_h][in_w][in_c], y [batches][out_h][out_w][out_c], out_c a multiple of in_c. Weights
 * [kernel_h][kernel_w][out_c], int8 in [-127, 127]; channel c reads input channel c / (out_c / in_c). The bias holds
 * -in_zero * sum(weights), so a padded tap counts as in_zero. No scratch.
 *
 * With one output per input channel, TML_LANES neighbouring channels run together, their accumulators in registers.
 * A last block that would not be full starts earlier and computes some channels twice.
 */
#include "../tml_internal.h"
#include "lanes.h"
#include "window.h"

typedef struct depthwise_pixel {
  const int8_t *x; /* the image */
  tml_window y, w; /* the taps inside, vertically and horizontally */
  uint32_t inside; /* all of them are */
  tml_output output;
} depthwise_pixel;

static inline const int8_t *depthwise_tap(const tml_conv2d_params *p, const depthwise_pixel *s, uint32_t ky,
                                          uint32_t kx) {
  return s->x + (tml_tap(s->y, ky, p->dilation_h) * p->in_w + tml_tap(s->w, kx, p->dilation_w)) * p->in_c;
}

static inline uint32_t depthwise_has(const depthwise_pixel *s, uint32_t ky, uint32_t kx) {
  return ky >= s->y.begin && ky < s->y.end && kx >= s->w.begin && kx < s->w.end;
}

/* Every tap is inside. */
static TML_NOINLINE void depthwise_interior(const tml_conv2d_params *p, const depthwise_pixel *s, uint32_t c,
                                            int32_t *sums) {
  const int8_t *w = p->weights + c;
  const uint32_t out_c = p->out_c, step = (uint32_t)p->dilation_w * p->in_c;
  TML_LANES_DECLARE(acc);
  uint32_t ky, kx;
  for (ky = 0; ky < p->kernel_h; ++ky) {
    const int8_t *x = depthwise_tap(p, s, ky, 0) + c;
    for (kx = p->kernel_w; kx > 0; --kx) {
      TML_LANES_MAC(acc, x, w);
      x += step;
      w += out_c;
    }
  }
  TML_LANES_STORE(acc, sums);
}

/* Some taps read padding. */
static TML_NOINLINE void depthwise_border(const tml_conv2d_params *p, const depthwise_pixel *s, uint32_t c,
                                          int32_t *sums) {
  const int8_t *w = p->weights + c;
  int8_t padding[TML_LANES];
  TML_LANES_DECLARE(acc);
  uint32_t ky, kx;
  for (ky = 0; ky < TML_LANES; ++ky) padding[ky] = p->in_zero;
  for (ky = 0; ky < p->kernel_h; ++ky) {
    for (kx = 0; kx < p->kernel_w; ++kx, w += p->out_c) {
      const int8_t *x = depthwise_has(s, ky, kx) ? depthwise_tap(p, s, ky, kx) + c : padding;
      TML_LANES_MAC(acc, x, w);
    }
  }
  TML_LANES_STORE(acc, sums);
}

static void depthwise_store(const tml_conv2d_params *p, const depthwise_pixel *s, uint32_t c, uint32_t count,
                            const int32_t *sums, int8_t *y) {
  uint32_t i;
  for (i = 0; i < count; ++i) {
    const int32_t multiplier = p->multipliers[(c + i) * p->multiplier_step];
    y[c + i] = tml_requantize(p->bias[c + i] + sums[i], multiplier, s->output);
  }
}

static void depthwise_blocks(const tml_conv2d_params *p, const depthwise_pixel *s, int8_t *y) {
  uint32_t next;
  for (next = 0; next < p->out_c; next += TML_LANES) {
    int32_t sums[TML_LANES];
    const uint32_t c = tml_min_u32(next, (uint32_t)p->out_c - TML_LANES);
    if (s->inside) {
      depthwise_interior(p, s, c, sums);
    } else {
      depthwise_border(p, s, c, sums);
    }
    depthwise_store(p, s, c, TML_LANES, sums, y);
  }
}

/* Any ratio of output to input channels, any number of them: one at a time. */
static TML_NOINLINE void depthwise_singles(const tml_conv2d_params *p, const depthwise_pixel *s, int8_t *y) {
  const uint32_t ratio = (uint32_t)p->out_c / p->in_c;
  uint32_t c, ky, kx;
  for (c = 0; c < p->out_c; ++c) {
    const int8_t *w = p->weights + c;
    int32_t sum = 0;
    for (ky = 0; ky < p->kernel_h; ++ky) {
      for (kx = 0; kx < p->kernel_w; ++kx, w += p->out_c) {
        sum += *w * (depthwise_has(s, ky, kx) ? depthwise_tap(p, s, ky, kx)[c / ratio] : p->in_zero);
      }
    }
    depthwise_store(p, s, c, 1, &sum, y);
  }
}

int tml_depthwise_conv2d_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_params *p = (const tml_conv2d_params *)params;
  int8_t *y = tml_operand(context, operands[1]);
  depthwise_pixel s;
  uint32_t b, oy, ox;
  s.x = tml_operand(context, operands[0]);
  s.output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  for (b = 0; b < p->batches; ++b, s.x += (uint32_t)p->in_h * p->in_w * p->in_c) {
    for (oy = 0; oy < p->out_h; ++oy) {
      s.y = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->out_c) {
        s.w = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        s.inside = tml_window_full(s.y, p->kernel_h) && tml_window_full(s.w, p->kernel_w);
        if (p->out_c == p->in_c && p->out_c >= TML_LANES) {
          depthwise_blocks(p, &s, y);
        } else {
          depthwise_singles(p, &s, y);
        }
      }
    }
  }
  return TML_OK;
}
