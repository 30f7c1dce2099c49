/* conv2d_s16_mve.c: 2-D convolution of int16 by int8 for cores with Helium (Cortex-M55, M85): eight taps of four
 * channels at a time.
 *
 * Record, operands and what may overlap as for tml_conv2d_s16; groups = 1, out_c >= 4, shift = 0. Weights are read as
 * they stand, VLDRB widens them. Ten instructions for 32 products. No scratch.
 */
#include <string.h>

#include "s16.h"
#include "window.h"

enum { CHANNELS = 4 };

/* What a pixel reads: rows of runs. */
typedef struct conv_pixel {
  const int16_t *x; /* the first tap inside */
  uint32_t w;       /* its weight */
  uint32_t rows, runs, n;
  uint32_t row, tap;     /* elements from one to the next */
  uint32_t w_row, w_tap; /* of the weights */
} conv_pixel;

typedef struct conv_sums {
  int32_t of[CHANNELS];
} conv_sums;

#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__)
#include <arm_mve.h>

/* sums.of[c] += x . w[c * row], n > 0 elements. LETP leaves out what lies behind the last. */
static inline conv_sums conv_run(conv_sums sums, const int16_t *x, const int8_t *w, uint32_t row, uint32_t n) {
  const int8_t *w1 = w + row, *w2 = w1 + row, *w3 = w2 + row;
  __asm__ volatile(
      "dlstp.16 lr, %[n]\n"
      "1:\n"
      "vldrh.16 q0, [%[x]], #16\n"
      "vldrb.s16 q1, [%[w0]], #8\n"
      "vmladava.s16 %[a0], q0, q1\n"
      "vldrb.s16 q2, [%[w1]], #8\n"
      "vmladava.s16 %[a1], q0, q2\n"
      "vldrb.s16 q3, [%[w2]], #8\n"
      "vmladava.s16 %[a2], q0, q3\n"
      "vldrb.s16 q1, [%[w3]], #8\n"
      "vmladava.s16 %[a3], q0, q1\n"
      "letp lr, 1b\n"
      : [a0] "+Te"(sums.of[0]), [a1] "+Te"(sums.of[1]), [a2] "+Te"(sums.of[2]), [a3] "+Te"(sums.of[3]), [x] "+r"(x),
        [w0] "+l"(w), [w1] "+l"(w1), [w2] "+l"(w2), [w3] "+l"(w3)
      : [n] "r"(n)
      : "lr", "q0", "q1", "q2", "q3", "memory");
  return sums;
}

static inline void conv_finish(const tml_conv2d_s16_params *p, conv_sums sums, uint32_t c, int16_t *y) {
  const int32x4_t multiplier = p->multiplier_step ? vld1q_s32(p->multipliers + c) : vdupq_n_s32(p->multipliers[0]);
  int32x4_t value = vrmulhq_s32(vld1q_s32(sums.of), multiplier);
  value = vminq_s32(vmaxq_s32(value, vdupq_n_s32(p->clamp_min)), vdupq_n_s32(p->clamp_max));
  vstrhq_s32(y, value);
}
#else
static inline conv_sums conv_run(conv_sums sums, const int16_t *x, const int8_t *w, uint32_t row, uint32_t n) {
  uint32_t c, i;
  for (c = 0; c < CHANNELS; ++c) {
    for (i = 0; i < n; ++i) sums.of[c] += x[i] * w[c * row + i];
  }
  return sums;
}

static inline void conv_finish(const tml_conv2d_s16_params *p, conv_sums sums, uint32_t c, int16_t *y) {
  const tml_output_s16 output = tml_make_output_s16(0, p->clamp_min, p->clamp_max);
  uint32_t i;
  for (i = 0; i < CHANNELS; ++i) {
    y[i] = tml_requantize_s16(sums.of[i], p->multipliers[(c + i) * p->multiplier_step], output);
  }
}
#endif

/* All channels of a pixel. */
static TML_NOINLINE void conv_point(const tml_conv2d_s16_params *p, const conv_pixel *s, int16_t *y) {
  const uint32_t taps = (uint32_t)p->kernel_h * p->kernel_w * p->in_c, channels = p->out_c;
  uint32_t next, rows, runs;
  for (next = 0; next < channels; next += CHANNELS) {
    const uint32_t c = tml_min_u32(next, channels - CHANNELS);
    const int8_t *w_row = p->weights + c * taps + s->w;
    const int16_t *x_row = s->x;
    conv_sums sums;
    memcpy(&sums, p->bias + c, sizeof sums);
    for (rows = s->rows; rows > 0; --rows, x_row += s->row, w_row += s->w_row) {
      const int16_t *x = x_row;
      const int8_t *w = w_row;
      for (runs = s->runs; runs > 0; --runs, x += s->tap, w += s->w_tap) sums = conv_run(sums, x, w, taps, s->n);
    }
    conv_finish(p, sums, c, y + c);
  }
}

int tml_conv2d_s16_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_s16_params *p = (const tml_conv2d_s16_params *)params;
  const int16_t *image = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  const uint32_t depth = p->in_c, is_dense = p->dilation_w == 1;
  conv_pixel s;
  uint32_t b, oy, ox;
  s.row = (uint32_t)p->dilation_h * p->in_w * depth;
  s.tap = p->dilation_w * depth;
  s.w_row = p->kernel_w * depth;
  s.w_tap = depth;
  for (b = 0; b < p->batches; ++b, image += (uint32_t)p->in_h * p->in_w * depth) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window wy = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->out_c) {
        const tml_window wx = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        const uint32_t columns = wx.end - wx.begin;
        s.rows = columns > 0 ? wy.end - wy.begin : 0;
        s.runs = is_dense ? 1 : columns;
        s.n = is_dense ? columns * depth : depth;
        s.x = image;
        if (s.rows > 0) {
          s.x += (tml_tap(wy, wy.begin, p->dilation_h) * p->in_w + tml_tap(wx, wx.begin, p->dilation_w)) * depth;
        }
        s.w = (wy.begin * p->kernel_w + wx.begin) * depth;
        conv_point(p, &s, y);
      }
    }
  }
  return TML_OK;
}
