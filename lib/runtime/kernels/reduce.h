/* reduce.h: the frame of reduce_sum, reduce_max and reduce_min: for each kept index, one pass over the reduced ones.
 *
 * operands: x, y; y dense over keep_dims. The operation is a constant where this is used, so the compiler keeps one.
 */
#ifndef TINYML_KERNELS_REDUCE_H
#define TINYML_KERNELS_REDUCE_H

#include "../tml_internal.h"

typedef enum tml_reduce_operation { TML_REDUCE_SUM, TML_REDUCE_MAX, TML_REDUCE_MIN } tml_reduce_operation;

static inline int32_t tml_reduce_row(tml_reduce_operation operation, int32_t acc, const int8_t *x, uint32_t n,
                                     uint32_t step) {
  uint32_t i;
  for (i = 0; i < n; ++i) {
    const int32_t value = x[i * step];
    if (operation == TML_REDUCE_SUM) {
      acc += value;
    } else if (operation == TML_REDUCE_MAX) {
      acc = value > acc ? value : acc;
    } else {
      acc = value < acc ? value : acc;
    }
  }
  return acc;
}

static inline int32_t tml_reduce_one(tml_reduce_operation operation, const tml_reduce_params *p, const int8_t *x) {
  const uint32_t *d = p->reduce_dims, *s = p->reduce_strides;
  int32_t acc = operation == TML_REDUCE_SUM ? 0 : operation == TML_REDUCE_MAX ? INT8_MIN : INT8_MAX;
  uint32_t i, j, k;
  for (i = 0; i < d[0]; ++i) {
    for (j = 0; j < d[1]; ++j) {
      for (k = 0; k < d[2]; ++k) {
        acc = tml_reduce_row(operation, acc, x + i * s[0] + j * s[1] + k * s[2], d[3], s[3]);
      }
    }
  }
  return acc;
}

static inline int8_t tml_reduce_finish(tml_reduce_operation operation, const tml_reduce_params *p, int32_t acc) {
  const uint32_t *d = p->reduce_dims;
  if (operation == TML_REDUCE_SUM) {
    acc -= (int32_t)(d[0] * d[1] * d[2] * d[3]) * p->in_zero;
    return tml_requantize(acc, p->multiplier, tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max));
  }
  return (int8_t)tml_clamp(acc, p->clamp_min, p->clamp_max);
}

static inline int tml_reduce(tml_reduce_operation operation, const tml_context *context, const void *params,
                             const uint32_t *operands) {
  const tml_reduce_params *p = (const tml_reduce_params *)params;
  const uint32_t *d = p->keep_dims, *s = p->keep_strides;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t i, j, k, l;
  for (i = 0; i < d[0]; ++i) {
    for (j = 0; j < d[1]; ++j) {
      for (k = 0; k < d[2]; ++k) {
        for (l = 0; l < d[3]; ++l) {
          const int8_t *first = x + i * s[0] + j * s[1] + k * s[2] + l * s[3];
          *y++ = tml_reduce_finish(operation, p, tml_reduce_one(operation, p, first));
        }
      }
    }
  }
  return TML_OK;
}

#endif
