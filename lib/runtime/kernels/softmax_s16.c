/* softmax_s16.c: softmax over `depth` elements of int16 that are `inner` apart.
 *
 * operands: x, y [outer][depth][inner]; y may be x. Exponentials are powers of two from a table of one octave,
 * computed twice instead of kept; one division per row. No scratch.
 */
#include "s16.h"

static uint32_t softmax_exp(const tml_softmax_s16_params *p, int32_t distance) {
  const uint64_t t = ((uint64_t)(uint32_t)distance * p->x_multiplier) >> p->x_shift;
  const uint32_t octaves = (uint32_t)(t >> 24), rest = (uint32_t)t & 0xFFFFFFu;
  const uint32_t *entry = p->exp_table + (rest >> 17);
  uint32_t value;
  if (t >> 24 > 24) return 0;
  value = entry[0] - (uint32_t)(((uint64_t)(entry[0] - entry[1]) * (rest & 0x1FFFFu)) >> 17);
  return (value + ((uint32_t)1 << (octaves + 5))) >> (octaves + 6);
}

/* floor((multiplier * 2^24 + floor(sum / 2)) / sum), below 2^31; as in softmax_s8.c. */
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

static void softmax_row(const tml_softmax_s16_params *p, const int16_t *x, int16_t *y) {
  const tml_output_s16 output = tml_make_output_s16(0, p->clamp_min, p->clamp_max);
  int32_t maximum = x[0];
  uint64_t sum = 0;
  uint32_t i, factor;
  for (i = 1; i < p->depth; ++i) maximum = x[i * p->inner] > maximum ? x[i * p->inner] : maximum;
  for (i = 0; i < p->depth; ++i) sum += softmax_exp(p, maximum - x[i * p->inner]);
  factor = softmax_factor(p->out_multiplier, sum);
  for (i = 0; i < p->depth; ++i) {
    const uint64_t scaled = (uint64_t)softmax_exp(p, maximum - x[i * p->inner]) * factor;
    y[i * p->inner] = tml_finish_s16((int32_t)((scaled + ((uint64_t)1 << 38)) >> 39), output);
  }
}

int tml_softmax_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_softmax_s16_params *p = (const tml_softmax_s16_params *)params;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  uint32_t o, i;
  if (p->depth == 0) return TML_OK;
  for (o = 0; o < p->outer; ++o, x += p->depth * p->inner, y += p->depth * p->inner) {
    for (i = 0; i < p->inner; ++i) softmax_row(p, x + i, y + i);
  }
  return TML_OK;
}
