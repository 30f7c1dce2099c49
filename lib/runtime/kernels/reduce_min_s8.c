/* reduce_min_s8.c: the smallest element, clamped; input and output share scale and zero point.
 *
 * Operands and strides: see reduce.h. No scratch.
 */
#include "reduce.h"

int tml_reduce_min_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_reduce(TML_REDUCE_MIN, context, params, operands);
}
