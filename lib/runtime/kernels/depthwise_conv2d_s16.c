/* depthwise_conv2d_s16.c: convolution of int16 by int8 with one input channel per output channel (groups = in_c).
 *
 * operands: x [batches][in_h][in_w][in_c], y [batches][out_h][out_w][out_c], out_c a multiple of in_c. Weights
 * [kernel_h][kernel_w][out_c]. Sums fit into 32 bits. Windows are cut to what lies inside. No scratch. Four
 * neighbouring channels run together where each has its own input.
 */
#include "s16.h"
#include "window.h"

enum { LANES = 4 };

typedef struct depthwise_pixel {
  const int16_t *x; /* the first tap inside */
  const int8_t *w;  /* its weight, of channel 0 */
  uint32_t rows, columns;
  uint32_t row, tap;     /* elements from one to the next */
  uint32_t w_row, w_tap; /* of the weights */
  tml_output_s16 output;
} depthwise_pixel;

static TML_NOINLINE void depthwise_four(const tml_conv2d_s16_params *p, const depthwise_pixel *s, uint32_t c,
                                        int16_t *y) {
  const int32_t *bias = p->bias + c, *multiplier = p->multipliers + c * p->multiplier_step;
  int32_t a0 = bias[0], a1 = bias[1], a2 = bias[2], a3 = bias[3];
  const uint32_t step = p->multiplier_step, tap = s->tap, w_tap = s->w_tap;
  uint32_t row, i;
  for (row = 0; row < s->rows; ++row) {
    const int16_t *x = s->x + c + row * s->row;
    const int8_t *w = s->w + c + row * s->w_row;
    for (i = s->columns; i > 0; --i, x += tap, w += w_tap) {
      a0 += x[0] * w[0];
      a1 += x[1] * w[1];
      a2 += x[2] * w[2];
      a3 += x[3] * w[3];
    }
  }
  y[0] = tml_requantize_s16(a0, multiplier[0], s->output);
  y[1] = tml_requantize_s16(a1, multiplier[step], s->output);
  y[2] = tml_requantize_s16(a2, multiplier[2 * step], s->output);
  y[3] = tml_requantize_s16(a3, multiplier[3 * step], s->output);
}

/* Channel c, which reads input channel `from`. */
static void depthwise_one(const tml_conv2d_s16_params *p, const depthwise_pixel *s, uint32_t from, uint32_t c,
                          int16_t *y) {
  int32_t acc = p->bias[c];
  uint32_t row, i;
  for (row = 0; row < s->rows; ++row) {
    const int16_t *x = s->x + from + row * s->row;
    const int8_t *w = s->w + c + row * s->w_row;
    for (i = 0; i < s->columns; ++i) acc += x[i * s->tap] * w[i * s->w_tap];
  }
  *y = tml_requantize_s16(acc, p->multipliers[c * p->multiplier_step], s->output);
}

static void depthwise_channels(const tml_conv2d_s16_params *p, const depthwise_pixel *s, int16_t *y) {
  const uint32_t each = (uint32_t)p->out_c / p->in_c;
  uint32_t c;
  if (each == 1 && p->out_c >= LANES) {
    for (c = 0; c < p->out_c; c += LANES) {
      const uint32_t first = tml_min_u32(c, (uint32_t)p->out_c - LANES);
      depthwise_four(p, s, first, y + first);
    }
  } else {
    for (c = 0; c < p->out_c; ++c) depthwise_one(p, s, c / each, c, y + c);
  }
}

int tml_depthwise_conv2d_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_s16_params *p = (const tml_conv2d_s16_params *)params;
  const int16_t *image = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  depthwise_pixel s;
  uint32_t b, oy, ox;
  s.tap = (uint32_t)p->dilation_w * p->in_c;
  s.row = (uint32_t)p->dilation_h * p->in_w * p->in_c;
  s.w_tap = p->out_c;
  s.w_row = (uint32_t)p->kernel_w * p->out_c;
  s.output = tml_make_output_s16(p->shift, p->clamp_min, p->clamp_max);
  for (b = 0; b < p->batches; ++b, image += (uint32_t)p->in_h * p->in_w * p->in_c) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window wy = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->out_c) {
        const tml_window wx = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        s.columns = wx.end - wx.begin;
        s.rows = s.columns > 0 ? wy.end - wy.begin : 0;
        s.x = image;
        if (s.rows > 0) {
          s.x += (tml_tap(wy, wy.begin, p->dilation_h) * p->in_w + tml_tap(wx, wx.begin, p->dilation_w)) * p->in_c;
        }
        s.w = p->weights + wy.begin * s.w_row + wx.begin * s.w_tap;
        depthwise_channels(p, &s, y);
      }
    }
  }
  return TML_OK;
}
