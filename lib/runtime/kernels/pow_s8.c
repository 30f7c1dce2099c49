/* pow_s8.c: y = a to the power b, through tables of log2 and exp2.
 *
 * Operands, shapes and broadcasting: see binary.h. No scratch. The table is described at tml_binary_params.
 * Logarithms have 23 bits behind the point, so the exponent of 2 is off by at most 255 * 2^-24, and linear
 * interpolation over 1/64 by 1.5e-5 of the result: less than 1/100 of a unit of y.
 */
#include "binary.h"

#define POW_BITS 23 /* behind the point */
#define POW_EXP2 256
#define POW_CLASSES 321

/* round(2^(t / 2^23)), at most 511. */
static int32_t pow_exp2(const int32_t *exp2, int64_t t) {
  const uint32_t fraction = (uint32_t)t & (((uint32_t)1 << POW_BITS) - 1);
  const uint32_t low = (uint32_t)exp2[fraction >> (POW_BITS - 6)],
                 high = (uint32_t)exp2[(fraction >> (POW_BITS - 6)) + 1];
  const uint32_t rest = fraction & (((uint32_t)1 << (POW_BITS - 6)) - 1);
  const uint32_t mantissa = low + (uint32_t)(((uint64_t)(high - low) * rest) >> (POW_BITS - 6));
  uint32_t shift;
  if (t < -((int64_t)1 << POW_BITS)) return 0;
  if (t >= (int64_t)9 << POW_BITS) return 511;
  shift = 31 - (uint32_t)((t + ((int64_t)1 << POW_BITS)) >> POW_BITS); /* 22 to 31 */
  return (int32_t)((mantissa + ((uint32_t)1 << (shift - 1))) >> shift);
}

static void pow_row(const tml_binary_params *p, const tml_binary_row *row) {
  const tml_output output = tml_binary_output(p);
  uint32_t i;
  for (i = 0; i < row->n; ++i) {
    const int32_t a = row->a[i * row->a_step], b = row->b[i * row->b_step];
    int32_t value = pow_exp2(p->table + POW_EXP2, (int64_t)(b - p->b_zero) * p->table[a + 128] + p->a_multiplier);
    if (a < p->a_zero) {
      const uint32_t exponent = (uint32_t)(b + 128);
      const uint32_t kind = ((uint32_t)p->table[POW_CLASSES + exponent / 16] >> (exponent % 16 * 2)) & 3;
      value = kind == 0 ? value : kind == 1 ? -value : -256;
    }
    row->y[i] = tml_finish(value, output);
  }
}

int tml_pow_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary(context, (const tml_binary_params *)params, operands, pow_row);
}
