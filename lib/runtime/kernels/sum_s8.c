/* sum_s8.c: sum of any number of dense operands of one size.
 *
 * operands: the inputs, then y; `count` elements each; y may be an input. acc = sum of (x_i - zeros[i]) *
 * multipliers[i]; sum of |multipliers| <= 2^22 and 1 <= shift <= 30, so 32 bits suffice. No scratch.
 */
#include "../tml_internal.h"

int tml_sum_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_sum_params *p = (const tml_sum_params *)params;
  int8_t *y = tml_operand(context, operands[p->inputs]);
  const tml_output output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  uint32_t i, k;
  for (i = 0; i < p->count; ++i) {
    int32_t acc = 0;
    for (k = 0; k < p->inputs; ++k) {
      acc += (tml_operand(context, operands[k])[i] - p->zeros[k]) * p->multipliers[k];
    }
    y[i] = tml_round_shift(acc, output);
  }
  return TML_OK;
}
