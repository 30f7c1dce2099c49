/* s16.h: what the kernels with 16-bit activations share: operands, and how an accumulator becomes an int16. */
#ifndef TINYML_KERNELS_S16_H
#define TINYML_KERNELS_S16_H

#include "../tinyml_runtime_s16.h"
#include "../tml_internal.h"

static inline int16_t *tml_operand_s16(const tml_context *context, uint32_t offset) {
  return (int16_t *)(void *)(context->arena + offset);
}

typedef struct tml_output_s16 {
  uint32_t shift;
  int32_t low, high;
} tml_output_s16;

static inline tml_output_s16 tml_make_output_s16(uint8_t shift, int16_t clamp_min, int16_t clamp_max) {
  tml_output_s16 output;
  output.shift = shift;
  output.low = clamp_min;
  output.high = clamp_max;
  return output;
}

static inline int16_t tml_finish_s16(int32_t value, tml_output_s16 output) {
  return (int16_t)tml_clamp(value, output.low, output.high);
}

/* The 64-bit rounded product less its last 32 bits, which are `low`, times 2^shift. The high part is saturated to 17
 * bits first: what lies outside is outside of any clamp too. shift <= 15. */
static inline int32_t tml_shift_high_s16(int64_t high, uint32_t low, uint32_t shift) {
  const int32_t bounded = high < -65536 ? -65536 : high > 65535 ? 65535 : (int32_t)high;
  return shift == 0 ? bounded : (int32_t)(((uint32_t)bounded << shift) | low >> (32 - shift));
}

static TML_NOINLINE int32_t tml_scale_shifted_s16(int32_t acc, int32_t multiplier, uint32_t shift) {
  const int64_t rounded = (int64_t)acc * multiplier + ((int64_t)1 << (31 - shift));
  return tml_shift_high_s16(rounded >> 32, (uint32_t)rounded, shift);
}

/* clamp(floor(acc * multiplier / 2^(32 - shift) + 1/2)), shift <= 15, |multiplier| < 2^31. */
static inline int16_t tml_requantize_s16(int32_t acc, int32_t multiplier, tml_output_s16 output) {
  if (output.shift == 0) return tml_finish_s16(tml_scale_high(acc, multiplier), output);
  return tml_finish_s16(tml_scale_shifted_s16(acc, multiplier, output.shift), output);
}

/* The same for |acc| < 2^62: the product in two halves of 64 bits. */
static TML_NOINLINE int16_t tml_requantize_wide_s16(int64_t acc, int32_t multiplier, tml_output_s16 output) {
  const int64_t low = (int64_t)(uint32_t)acc * multiplier + ((int64_t)1 << (31 - output.shift));
  const int64_t high = (acc >> 32) * multiplier + (low >> 32);
  return tml_finish_s16(tml_shift_high_s16(high, (uint32_t)low, output.shift), output);
}

#endif
