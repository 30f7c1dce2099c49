/* resize_linear_s8.c: bilinear interpolation by tables of rows, columns and weights.
 *
 * operands: x [batches][in_h][in_w][channels], y [batches][out_h][out_w][channels]. Weights are in 1/2048, so the sum
 * of (x - in_zero) * weights has 2^22 for one and |acc| <= 255 * 2^22 < 2^30. No scratch.
 */
#include "../tml_internal.h"

/* One output pixel: its four corners and their weights. */
typedef struct resize_pixel {
  const int8_t *corner[4];
  int32_t weight[4];
} resize_pixel;

/* floor(acc * multiplier / 2^(54 - shift) + 1/2): the product loses 22 bits first, which floor allows. */
static int8_t resize_finish(const tml_resize_linear_params *p, int32_t acc, tml_output output) {
  const int64_t scaled = ((int64_t)acc * p->multiplier) >> 22;
  const uint32_t shift = 32 - output.shift;
  return tml_finish((int32_t)((scaled + ((int64_t)1 << (shift - 1))) >> shift), output);
}

static void resize_point(const tml_resize_linear_params *p, const resize_pixel *s, tml_output output, int8_t *y) {
  const int32_t zero = p->in_zero * ((int32_t)1 << 22);
  uint32_t c, k;
  for (c = 0; c < p->channels; ++c) {
    int32_t acc = -zero;
    for (k = 0; k < 4; ++k) acc += s->corner[k][c] * s->weight[k];
    y[c] = resize_finish(p, acc, output);
  }
}

static void resize_image(const tml_resize_linear_params *p, const int8_t *x, int8_t *y) {
  const tml_output output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  uint32_t oy, ox, k;
  for (oy = 0; oy < p->out_h; ++oy) {
    const int32_t wy[2] = {2048 - p->y_weight[oy], p->y_weight[oy]};
    const uint32_t row[2] = {(uint32_t)p->y_low[oy] * p->in_w, (uint32_t)p->y_high[oy] * p->in_w};
    for (ox = 0; ox < p->out_w; ++ox, y += p->channels) {
      const int32_t wx[2] = {2048 - p->x_weight[ox], p->x_weight[ox]};
      const uint32_t column[2] = {p->x_low[ox], p->x_high[ox]};
      resize_pixel s;
      for (k = 0; k < 4; ++k) {
        s.corner[k] = x + (row[k / 2] + column[k % 2]) * p->channels;
        s.weight[k] = wy[k / 2] * wx[k % 2];
      }
      resize_point(p, &s, output, y);
    }
  }
}

int tml_resize_linear_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_resize_linear_params *p = (const tml_resize_linear_params *)params;
  const uint32_t in_size = (uint32_t)p->in_h * p->in_w * p->channels;
  const uint32_t out_size = (uint32_t)p->out_h * p->out_w * p->channels;
  uint32_t b;
  for (b = 0; b < p->batches; ++b) {
    resize_image(p, tml_operand(context, operands[0]) + b * in_size, tml_operand(context, operands[1]) + b * out_size);
  }
  return TML_OK;
}
