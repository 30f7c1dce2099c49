/* conv2d_wide_s16.c: 2-D convolution of int16 by int8 with 64-bit sums; see conv2d_s16.h. */
#define TML_S16_WIDE
#include "conv2d_s16.h"

int tml_conv2d_wide_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  return conv2d_s16(context, params, operands);
}
