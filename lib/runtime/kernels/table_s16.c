/* table_s16.c: any function of one int16, interpolated linearly between 2^bits + 1 entries.
 *
 * operands: x, y, `count` elements each; y may be x. No scratch. Entries are int16, so a product is below 2^31.
 */
#include "s16.h"

int tml_table_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_table_s16_params *p = (const tml_table_s16_params *)params;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  const uint32_t s = 16u - p->bits;
  const int32_t half = (int32_t)1 << (s - 1);
  uint32_t i;
  for (i = 0; i < p->count; ++i) {
    const uint32_t u = (uint32_t)(x[i] + 32768);
    const int16_t *entry = p->table + (u >> s);
    const int32_t low = entry[0], rest = (int32_t)(u & (((uint32_t)1 << s) - 1));
    y[i] = (int16_t)(low + (((entry[1] - low) * rest + half) >> s));
  }
  return TML_OK;
}
