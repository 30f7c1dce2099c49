/* conv2d_s16.c: 2-D convolution of int16 by int8 whose sums fit into 32 bits; see conv2d_s16.h. */
#include "conv2d_s16.h"

int tml_conv2d_s16(const tml_context *context, const void *params, const uint32_t *operands) {
  return conv2d_s16(context, params, operands);
}
