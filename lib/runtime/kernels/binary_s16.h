/* binary_s16.h: the frame of the kernels of two int16 operands with broadcasting: add, mul, min, max.
 *
 * operands: a, b, y; y dense over dims, a and b by their strides (0 where broadcast) or constants. y may be exactly an
 * operand that is not broadcast. Each kernel supplies the function of one element, which the compiler inlines.
 */
#ifndef TINYML_KERNELS_BINARY_S16_H
#define TINYML_KERNELS_BINARY_S16_H

#include "s16.h"
#include "walk.h"

typedef int16_t (*tml_binary_s16_function)(const tml_binary_s16_params *p, int32_t a, int32_t b, tml_output_s16 output);

static inline int tml_binary_s16(const tml_context *context, const void *params, const uint32_t *operands,
                                 tml_binary_s16_function function) {
  const tml_binary_s16_params *p = (const tml_binary_s16_params *)params;
  const int16_t *a = p->a_const ? p->a_const : tml_operand_s16(context, operands[0]);
  const int16_t *b = p->b_const ? p->b_const : tml_operand_s16(context, operands[1]);
  const tml_output_s16 output = tml_make_output_s16(p->shift, p->clamp_min, p->clamp_max);
  int16_t *y = tml_operand_s16(context, operands[2]);
  tml_walk walk;
  if (!tml_walk_begin(&walk, p->dims, p->a_strides, p->b_strides)) return TML_OK;
  do {
    const int16_t *a_row = a + walk.a, *b_row = b + walk.b;
    uint32_t i;
    for (i = walk.row; i > 0; --i, a_row += walk.a_step, b_row += walk.b_step) {
      *y++ = function(p, *a_row, *b_row, output);
    }
  } while (tml_walk_next(&walk));
  return TML_OK;
}

/* What add, min and max compare or add: |x| * 2^shift <= 2^30, so that the sum of two stays below 2^62. */
static inline int64_t tml_binary_term_s16(int32_t x, int32_t multiplier, tml_output_s16 output) {
  return (int64_t)(x * ((int32_t)1 << output.shift)) * multiplier;
}

static inline int16_t tml_binary_round_s16(int64_t sum, tml_output_s16 output) {
  return tml_finish_s16((int32_t)((sum + ((int64_t)1 << 31)) >> 32), output);
}

#endif
