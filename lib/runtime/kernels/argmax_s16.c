/* argmax_s16.c: index of the largest of `depth` elements that are `inner` apart, the first or the last of equals.
 *
 * operands: x [outer][depth][inner] int16, y [outer][inner] int32 or int64 by out_bytes. No scratch.
 */
#include <string.h>

#include "s16.h"

static uint32_t argmax_one(const tml_argmax_params *p, const int16_t *x) {
  uint32_t best = 0, i;
  int32_t maximum = INT16_MIN;
  for (i = 0; i < p->depth; ++i) {
    const int32_t value = x[i * p->inner];
    if (value > maximum || (p->select_last && value == maximum)) {
      maximum = value;
      best = i;
    }
  }
  return best;
}

int tml_argmax_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_argmax_params *p = (const tml_argmax_params *)params;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  uint8_t *y = context->arena + operands[1];
  uint32_t o, i;
  for (o = 0; o < p->outer; ++o, x += p->depth * p->inner) {
    for (i = 0; i < p->inner; ++i, y += p->out_bytes) {
      const int64_t wide = argmax_one(p, x + i);
      const int32_t narrow = (int32_t)wide;
      if (p->out_bytes == sizeof wide) {
        memcpy(y, &wide, sizeof wide);
      } else {
        memcpy(y, &narrow, sizeof narrow);
      }
    }
  }
  return TML_OK;
}
