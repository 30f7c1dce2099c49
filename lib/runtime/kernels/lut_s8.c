/* lut_s8.c: y[i] = table[x[i] + 128], any function of one int8 value.
 *
 * operands: x, y, `count` elements each; y may be x. The table has 256 entries. No scratch.
 */
#include "../tml_internal.h"

int tml_lut_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_lut_params *p = (const tml_lut_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  const int8_t *middle = p->table + 128;
  uint32_t i;
  for (i = 0; i < p->count; ++i) y[i] = middle[x[i]];
  return TML_OK;
}
