/* prelu_s8.c: y = requantize(x - in_zero) with one multiplier above the zero point, and one per channel below.
 *
 * operands: x, y, `count` elements each; y may be x. Element i has slope negative[i % period], which may be below
 * zero. No scratch.
 */
#include "../tml_internal.h"

int tml_prelu_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_prelu_params *p = (const tml_prelu_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  const tml_output output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  uint32_t i, channel = 0;
  for (i = 0; i < p->count; ++i) {
    const int32_t value = x[i] - p->in_zero;
    y[i] = tml_requantize(value, value >= 0 ? p->positive : p->negative[channel], output);
    if (++channel == p->period) channel = 0;
  }
  return TML_OK;
}
