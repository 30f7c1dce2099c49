/* lut_s8_mve.c: y[i] = table[x[i] + 128] for Helium, sixteen elements gathered at a time.
 *
 * operands, record and result: as tml_lut_s8.
 */
#include "mve.h"

int tml_lut_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_lut_params *p = (const tml_lut_params *)params;
  const int8_t *x = tml_operand(context, operands[0]), *table = p->table;
  int8_t *y = tml_operand(context, operands[1]);
#if TML_MVE_ASM
  __asm__ volatile(
      "wlstp.8 lr, %2, 2f\n"
      "1: vldrb.8 q0, [%0], #16\n"
      "vadd.i8 q0, q0, %3\n"
      "vldrb.u8 q1, [%4, q0]\n"
      "vstrb.8 q1, [%1], #16\n"
      "letp lr, 1b\n"
      "2:"
      : "+l"(x), "+l"(y)
      : "r"(p->count), "r"(128), "r"(table)
      : "d0", "d1", "d2", "d3", "lr", "memory");
#else
  uint32_t i;
  for (i = 0; i < p->count; ++i) y[i] = table[x[i] + 128];
#endif
  return TML_OK;
}
