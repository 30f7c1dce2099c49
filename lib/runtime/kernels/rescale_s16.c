/* rescale_s16.c: from one grid to another, int16 to int16.
 *
 * operands: x, y, `count` elements each. No scratch.
 */
#include "rescale.h"

int tml_rescale_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_rescale_params *p = (const tml_rescale_params *)params;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  const tml_output_s16 output = tml_rescale_output(p);
  uint32_t i;
  for (i = 0; i < p->count; ++i) y[i] = (int16_t)tml_rescale_one(p, x[i], output);
  return TML_OK;
}
