/* div_s8.c: y = a / b, by a table of the 256 reciprocals of b.
 *
 * Operands, shapes and broadcasting: see binary.h. No scratch.
 * |(a - a_zero) * reciprocal| < 2^39, 1 <= shift <= 62: the quotient is rounded and clamped in 64 bits.
 */
#include "binary.h"

static void div_row(const tml_binary_params *p, const tml_binary_row *row) {
  const tml_output output = tml_binary_output(p);
  const int64_t half = (int64_t)1 << (p->shift - 1);
  uint32_t i;
  for (i = 0; i < row->n; ++i) {
    const int64_t reciprocal = p->table[row->b[i * row->b_step] + 128];
    const int64_t quotient = ((row->a[i * row->a_step] - p->a_zero) * reciprocal + half) >> p->shift;
    const int32_t value = quotient < -256 ? -256 : quotient > 255 ? 255 : (int32_t)quotient;
    row->y[i] = tml_finish(value, output);
  }
}

int tml_div_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary(context, (const tml_binary_params *)params, operands, div_row);
}
