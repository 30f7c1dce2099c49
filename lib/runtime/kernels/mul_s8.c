/* mul_s8.c: y = a * b, requantized with a_multiplier and shift.
 *
 * Operands, shapes and broadcasting: see binary.h. No scratch.
 * |acc| <= 255 * 255.
 */
#include "binary.h"

static void mul_row(const tml_binary_params *p, const tml_binary_row *row) {
  const tml_output output = tml_binary_output(p);
  uint32_t i;
  for (i = 0; i < row->n; ++i) {
    const int32_t acc = (row->a[i * row->a_step] - p->a_zero) * (row->b[i * row->b_step] - p->b_zero);
    row->y[i] = tml_requantize(acc, p->a_multiplier, output);
  }
}

int tml_mul_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary(context, (const tml_binary_params *)params, operands, mul_row);
}
