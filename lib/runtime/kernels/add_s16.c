/* add_s16.c: y = a + b; subtraction has a negative b_multiplier.
 *
 * Operands, shapes and broadcasting: see binary_s16.h. No scratch.
 */
#include "binary_s16.h"

static inline int16_t add_one(const tml_binary_s16_params *p, int32_t a, int32_t b, tml_output_s16 output) {
  return tml_binary_round_s16(
      tml_binary_term_s16(a, p->a_multiplier, output) + tml_binary_term_s16(b, p->b_multiplier, output), output);
}

int tml_add_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary_s16(context, params, operands, add_one);
}
