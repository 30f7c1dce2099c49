/* add_s8_mve.c: y = a * a_multiplier + b * b_multiplier for Helium, four elements at a time.
 *
 * operands, record and result: as tml_add_s8. Rows in which an operand is broadcast take the plain loop.
 */
#include "binary.h"
#include "mve.h"

static void add_row(const tml_binary_params *p, const tml_binary_row *row) {
  tml_mve_add add;
  uint32_t i;
  add.bias = ((int32_t)1 << (p->shift - 1)) - p->a_zero * p->a_multiplier - p->b_zero * p->b_multiplier;
  add.a_multiplier = p->a_multiplier;
  add.b_multiplier = p->b_multiplier;
  add.shift = p->shift;
  add.zero = p->out_zero;
  add.low = p->clamp_min;
  add.high = p->clamp_max;
  if (row->a_step == 1 && row->b_step == 1) {
    tml_mve_add_row(&add, row->a, row->b, row->y, row->n);
    return;
  }
  for (i = 0; i < row->n; ++i) {
    const int32_t sum =
        add.bias + row->a[i * row->a_step] * add.a_multiplier + row->b[i * row->b_step] * add.b_multiplier;
    row->y[i] = (int8_t)tml_clamp((sum >> add.shift) + add.zero, add.low, add.high);
  }
}

int tml_add_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary(context, (const tml_binary_params *)params, operands, add_row);
}
