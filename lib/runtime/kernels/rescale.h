/* rescale.h: one element from one grid to another, for the kernels between int8 and int16. */
#ifndef TINYML_KERNELS_RESCALE_H
#define TINYML_KERNELS_RESCALE_H

#include "s16.h"

/* The clamp's bounds less the zero point, which fit: that of an int8 output is within int8. */
static inline tml_output_s16 tml_rescale_output(const tml_rescale_params *p) {
  tml_output_s16 output;
  output.shift = p->shift;
  output.low = p->clamp_min - p->out_zero;
  output.high = p->clamp_max - p->out_zero;
  return output;
}

static inline int32_t tml_rescale_one(const tml_rescale_params *p, int32_t x, tml_output_s16 output) {
  return tml_requantize_s16(x - p->in_zero, p->multiplier, output) + p->out_zero;
}

#endif
