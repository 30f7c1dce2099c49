/* add_s8.c: y = a + b; subtraction has a negative b_multiplier.
 *
 * Operands, shapes and broadcasting: see binary.h. No scratch.
 * |multipliers| <= 2^21 and 1 <= shift <= 30: the sum with its rounding stays below 2^31. The zero points and the
 * rounding are one constant, so an element costs two multiply-accumulates.
 */
#include "binary.h"

static void add_row(const tml_binary_params *p, const tml_binary_row *row) {
  const tml_output output = tml_binary_output(p);
  const int32_t am = p->a_multiplier, bm = p->b_multiplier;
  const int32_t constant = ((int32_t)1 << (output.shift - 1)) - p->a_zero * am - p->b_zero * bm;
  const uint32_t a_step = row->a_step, b_step = row->b_step;
  const int8_t *a = row->a, *b = row->b;
  int8_t *y = row->y;
  uint32_t i;
  for (i = 0; i < row->n; ++i) {
    y[i] = tml_finish((constant + a[i * a_step] * am + b[i * b_step] * bm) >> output.shift, output);
  }
}

int tml_add_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary(context, (const tml_binary_params *)params, operands, add_row);
}
