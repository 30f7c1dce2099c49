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
  tml_store store;
} depthwise_pixel;

static inline const int8_t *depthwise_tap(const tml_conv2d_params *p, const depthwise_pixel *s, uint32_t ky,
                                          uint32_t kx) {
  return s->x + (tml_tap(s->y, ky, p->dilation_h) * p->in_w + tml_tap(s->w, kx, p->dilation_w)) * p->in_c;
}

/* A pixel all of whose taps are inside. */
static TML_NOINLINE void depthwise_interior(const tml_conv2d_params *p, const depthwise_pixel *s, int8_t *y) {
  const uint32_t channels = p->out_c, step = (uint32_t)p->dilation_w * channels;
  const int32_t gap = (int32_t)((uint32_t)p->dilation_h * p->in_w * channels - p->kernel_w * step);
  const int8_t *origin = depthwise_tap(p, s, 0, 0);
  uint32_t next, ky, kx;
  for (next = 0; next < channels; next += TML_LANES) {
    const uint32_t c = tml_min_u32(next, channels - TML_LANES);
    const int8_t *x = origin + c, *w = p->weights + c;
    int32_t sums[TML_LANES];
    TML_LANES_DECLARE(acc, p->bias + c);
    for (ky = p->kernel_h; ky > 0; --ky, x += gap) {
      for (kx = p->kernel_w; kx > 0; --kx) {
        TML_LANES_MAC(acc, x, w);
        x += step;
        w += channels;
      }
    }
    TML_LANES_STORE(acc, sums);
    tml_store_rows(&s->store, c, sums, y + c);
  }
}

/* A pixel some of whose taps read padding. */
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
  } else if (tml_window_full(s->y, p->kernel_h) && tml_window_full(s->w, p->kernel_w)) {
    depthwise_interior(p, s, y);
  } else {
    depthwise_border(p, s, y);
  }
}

int tml_depthwise_conv2d_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_params *p = (const tml_conv2d_params *)params;
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
