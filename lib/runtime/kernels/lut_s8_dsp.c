/* lut_s8_dsp.c: y[i] = table[x[i] + 128] for Cortex-M4, M7 and M33: four elements to a load and a store.
 *
 * Operands and record are those of lut_s8.c; y may be x.
 */
#include "dsp.h"

int tml_lut_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_lut_params *p = (const tml_lut_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  const uint8_t *middle = (const uint8_t *)p->table + 128;
  const int8_t *end = x + p->count, *fours = x + (p->count & ~3u);
  while (x != fours) {
    const uint32_t four = tml_load4(x);
    const uint32_t low = middle[(int8_t)four] | (uint32_t)middle[(int8_t)(four >> 8)] << 8;
    const uint32_t high = middle[(int8_t)(four >> 16)] | (uint32_t)middle[(int32_t)four >> 24] << 8;
    tml_store4(y, low | high << 16);
    x += 4;
    y += 4;
  }
  while (x != end) *y++ = (int8_t)middle[*x++];
  return TML_OK;
}
