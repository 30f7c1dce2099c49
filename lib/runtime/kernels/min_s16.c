/* min_s16.c: the smaller of a and b, brought to the scale of y.
 *
 * Operands, shapes and broadcasting: see binary_s16.h. No scratch.
 */
#include "binary_s16.h"

static inline int16_t min_one(const tml_binary_s16_params *p, int32_t a, int32_t b, tml_output_s16 output) {
  const int64_t x = tml_binary_term_s16(a, p->a_multiplier, output),
                y = tml_binary_term_s16(b, p->b_multiplier, output);
  return tml_binary_round_s16(x < y ? x : y, output);
}

int tml_min_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary_s16(context, params, operands, min_one);
}
