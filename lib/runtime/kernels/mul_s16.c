/* mul_s16.c: y = a * b, requantized with a_multiplier and shift; |acc| <= 2^30.
 *
 * Operands, shapes and broadcasting: see binary_s16.h. No scratch.
 */
#include "binary_s16.h"

static inline int16_t mul_one(const tml_binary_s16_params *p, int32_t a, int32_t b, tml_output_s16 output) {
  return tml_requantize_s16(a * b, p->a_multiplier, output);
}

int tml_mul_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary_s16(context, params, operands, mul_one);
}
