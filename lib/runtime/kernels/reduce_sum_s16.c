/* reduce_sum_s16.c: acc = sum of x, requantized; |acc| <= 2^15 * n < 2^31. A mean has its 1/n in the multiplier.
 *
 * operands: x, y; y dense over keep_dims. Strides as in reduce.h. No scratch.
 */
#include "s16.h"

static int32_t sum_one(const tml_reduce_s16_params *p, const int16_t *x) {
  const uint32_t *d = p->reduce_dims, *s = p->reduce_strides;
  int32_t acc = 0;
  uint32_t i, j, k, l;
  for (i = 0; i < d[0]; ++i) {
    for (j = 0; j < d[1]; ++j) {
      for (k = 0; k < d[2]; ++k) {
        const int16_t *row = x + i * s[0] + j * s[1] + k * s[2];
        for (l = 0; l < d[3]; ++l) acc += row[l * s[3]];
      }
    }
  }
  return acc;
}

int tml_reduce_sum_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_reduce_s16_params *p = (const tml_reduce_s16_params *)params;
  const tml_output_s16 output = tml_make_output_s16(p->shift, p->clamp_min, p->clamp_max);
  const uint32_t *d = p->keep_dims, *s = p->keep_strides;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  uint32_t i, j, k, l;
  for (i = 0; i < d[0]; ++i) {
    for (j = 0; j < d[1]; ++j) {
      for (k = 0; k < d[2]; ++k) {
        const int16_t *row = x + i * s[0] + j * s[1] + k * s[2];
        for (l = 0; l < d[3]; ++l) *y++ = tml_requantize_s16(sum_one(p, row + l * s[3]), p->multiplier, output);
      }
    }
  }
  return TML_OK;
}
