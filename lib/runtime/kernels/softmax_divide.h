/* softmax_divide.h: the factor of a row of softmax by hardware division, for cores that have it: floor(numerator / sum)
 * by two digits of 16 bits (Knuth, The Art of Computer Programming 2, 4.3.1 D).
 */
#ifndef TINYML_KERNELS_SOFTMAX_DIVIDE_H
#define TINYML_KERNELS_SOFTMAX_DIVIDE_H

#include "../tml_internal.h"

/* Zeros before the highest bit; value > 0. */
static inline uint32_t tml_leading_zeros(uint32_t value) {
#if defined(__GNUC__)
  return (uint32_t)__builtin_clz(value);
#else
  uint32_t zeros = 0;
  while (value < 0x80000000u) {
    value <<= 1;
    ++zeros;
  }
  return zeros;
#endif
}

/* One digit of 16 bits: rest is below divisor, whose highest bit is set, and becomes the remainder. */
static TML_NOINLINE uint32_t tml_next_digit(uint32_t *rest, uint32_t next, uint32_t divisor) {
  const uint32_t high = divisor >> 16, low = divisor & 0xFFFFu;
  uint32_t digit = *rest / high, left = *rest - digit * high;
  while (digit > 0xFFFFu || digit * low > (left << 16 | next)) {
    --digit;
    left += high;
    if (left > 0xFFFFu) break;
  }
  *rest = (*rest << 16 | next) - digit * divisor;
  return digit;
}

/* floor((multiplier * 2^24 + floor(sum / 2)) / sum), below 2^31; 2^24 <= sum < 2^48. */
static inline uint32_t tml_softmax_factor(int32_t multiplier, uint64_t sum) {
  const uint64_t numerator = ((uint64_t)(uint32_t)multiplier << 24) + sum / 2;
  uint64_t scaled = numerator;
  uint32_t divisor = (uint32_t)sum, rest, factor, zeros;
  if (sum >> 32 != 0) { /* a row of more than 256; the quotient, below 2^24, may then be too large by up to 2^8 */
    divisor = (uint32_t)(sum >> 16);
    scaled >>= 16;
  }
  zeros = tml_leading_zeros(divisor);
  divisor <<= zeros;
  scaled <<= zeros;
  rest = (uint32_t)(scaled >> 32);
  factor = tml_next_digit(&rest, (uint32_t)scaled >> 16, divisor) << 16;
  factor |= tml_next_digit(&rest, (uint32_t)scaled & 0xFFFFu, divisor);
  while (factor * sum > numerator) --factor;
  return factor;
}

#endif
