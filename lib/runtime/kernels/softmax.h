/* softmax.h: what softmax and log_softmax share: the maximum of a row and the sum of its exponentials.
 *
 * A row is `depth` elements that are `inner` apart. exp_table[d] = round(2^24 * exp(-d * in_scale)) for a distance d
 * below the maximum; the maximum itself gives 2^24, so 2^24 <= sum < 2^48 for depth < 2^24.
 */
#ifndef TINYML_KERNELS_SOFTMAX_H
#define TINYML_KERNELS_SOFTMAX_H

#include "../tml_internal.h"

static inline uint32_t tml_softmax_exp(const tml_softmax_params *p, int32_t maximum, int32_t x) {
  const uint32_t distance = (uint32_t)(maximum - x);
  return distance < p->table_size ? p->exp_table[distance] : 0;
}

static inline int32_t tml_softmax_max(const tml_softmax_params *p, const int8_t *x) {
  int32_t maximum = x[0];
  uint32_t i;
  for (i = 1; i < p->depth; ++i) {
    const int32_t value = x[i * p->inner];
    maximum = value > maximum ? value : maximum;
  }
  return maximum;
}

static inline uint64_t tml_softmax_sum(const tml_softmax_params *p, const int8_t *x, int32_t maximum) {
  uint64_t sum = 0;
  uint32_t i;
  for (i = 0; i < p->depth; ++i) sum += tml_softmax_exp(p, maximum, x[i * p->inner]);
  return sum;
}

typedef void (*tml_softmax_function)(const tml_softmax_params *p, const int8_t *x, int8_t *y);

static inline int tml_softmax_rows(const tml_context *context, const tml_softmax_params *p, const uint32_t *operands,
                                   tml_softmax_function function) {
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t o, i;
  if (p->depth == 0) return TML_OK;
  for (o = 0; o < p->outer; ++o, x += p->depth * p->inner, y += p->depth * p->inner) {
    for (i = 0; i < p->inner; ++i) function(p, x + i, y + i);
  }
  return TML_OK;
}

#endif
