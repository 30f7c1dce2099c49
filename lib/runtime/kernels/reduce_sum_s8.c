/* reduce_sum_s8.c: acc = sum of (x - in_zero), requantized; |acc| <= 255 * n < 2^31. A mean has its 1/n in the
 * multiplier.
 *
 * Operands and strides: see reduce.h. No scratch.
 */
#include "reduce.h"

int tml_reduce_sum_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_reduce(TML_REDUCE_SUM, context, params, operands);
}
