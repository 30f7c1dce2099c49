/* softmax_s8.c: softmax over `depth` elements that are `inner` apart.
 *
 * operands: x, y [outer][depth][inner]; y may be x. Exponentials come from a table; one division per row gives the
 * factor from an exponential to an output. No scratch.
 */
#include "softmax.h"

/* floor((multiplier * 2^24 + floor(sum / 2)) / sum), below 2^31. Once per row, bit by bit: a fraction of the size of
 * the library's 64-bit division. */
static uint32_t softmax_factor(int32_t multiplier, uint64_t sum) {
  uint64_t rest = ((uint64_t)(uint32_t)multiplier << 24) + sum / 2;
  uint32_t factor = 0, bit;
  for (bit = 31; bit-- > 0;) {
    if ((rest >> bit) < sum) continue;
    rest -= sum << bit;
    factor |= (uint32_t)1 << bit;
  }
  return factor;
}

static void softmax_row(const tml_softmax_params *p, const int8_t *x, int8_t *y) {
  const tml_output output = tml_make_output(0, p->out_zero, p->clamp_min, p->clamp_max);
  const int32_t maximum = tml_softmax_max(p, x);
  const uint32_t factor = softmax_factor(p->out_multiplier, tml_softmax_sum(p, x, maximum));
  uint32_t i;
  for (i = 0; i < p->depth; ++i) {
    const uint64_t scaled = (uint64_t)tml_softmax_exp(p, maximum, x[i * p->inner]) * factor;
    y[i * p->inner] = tml_finish((int32_t)((scaled + ((uint64_t)1 << 39)) >> 40), output);
  }
}

int tml_softmax_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_softmax_rows(context, (const tml_softmax_params *)params, operands, softmax_row);
}
