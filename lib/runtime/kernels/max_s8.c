/* max_s8.c: the larger of a and b, brought to the scale of y.
 *
 * Operands, shapes and broadcasting: see binary.h. No scratch.
 * |multipliers| <= 2^21 and 1 <= shift <= 30, as for add.
 */
#include "binary.h"

static void max_row(const tml_binary_params *p, const tml_binary_row *row) {
  const tml_output output = tml_binary_output(p);
  uint32_t i;
  for (i = 0; i < row->n; ++i) {
    const int32_t a = tml_binary_a(p, row->a[i * row->a_step]);
    const int32_t b = tml_binary_b(p, row->b[i * row->b_step]);
    row->y[i] = tml_round_shift(a > b ? a : b, output);
  }
}

int tml_max_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary(context, (const tml_binary_params *)params, operands, max_row);
}
