/* add_s8.c: y = a + b; subtraction has a negative b_multiplier.
 *
 * Operands, shapes and broadcasting: see binary.h. No scratch.
 * |multipliers| <= 2^21 and 1 <= shift <= 30: the sum with its rounding stays below 2^31. The zero points and the
 * rounding are one constant, so an element costs two multiply-accumulates. Dense rows of a result that is clamped to
 * int8 alone, four at a time: 8 instructions an element on a Cortex-M.
 */
#include "binary.h"

typedef struct add_factors {
  int32_t a, b, constant, zero;
  uint32_t shift;
} add_factors;

/* In place: all four are read before the first is written. */
static void add_dense(const add_factors *f, const int8_t *a, const int8_t *b, int8_t *y, const int8_t *end) {
  const int32_t am = f->a, bm = f->b, constant = f->constant, zero = f->zero;
  const uint32_t shift = f->shift;
  while (y != end) {
    const int32_t y0 = (constant + a[0] * am + b[0] * bm) >> shift, y1 = (constant + a[1] * am + b[1] * bm) >> shift;
    const int32_t y2 = (constant + a[2] * am + b[2] * bm) >> shift, y3 = (constant + a[3] * am + b[3] * bm) >> shift;
    y[0] = (int8_t)tml_saturate8(y0 + zero);
    y[1] = (int8_t)tml_saturate8(y1 + zero);
    y[2] = (int8_t)tml_saturate8(y2 + zero);
    y[3] = (int8_t)tml_saturate8(y3 + zero);
    a += 4;
    b += 4;
    y += 4;
  }
}

static void add_row(const tml_binary_params *p, const tml_binary_row *row) {
  const tml_output output = tml_binary_output(p);
  const int32_t am = p->a_multiplier, bm = p->b_multiplier;
  const int32_t constant = ((int32_t)1 << (output.shift - 1)) - p->a_zero * am - p->b_zero * bm;
  const uint32_t a_step = row->a_step, b_step = row->b_step;
  const int8_t *a = row->a, *b = row->b;
  int8_t *y = row->y;
  uint32_t i = 0;
  if (a_step == 1 && b_step == 1 && p->clamp_min == INT8_MIN && p->clamp_max == INT8_MAX) {
    i = row->n & ~3u;
    add_dense(&(const add_factors){am, bm, constant, output.zero, output.shift}, a, b, y, y + i);
  }
  for (; i < row->n; ++i) {
    y[i] = tml_finish((constant + a[i * a_step] * am + b[i * b_step] * bm) >> output.shift, output);
  }
}

int tml_add_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary(context, (const tml_binary_params *)params, operands, add_row);
}
