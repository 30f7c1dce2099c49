/* depthwise_conv2d_w4.c: depthwise convolution of packed weights for any core: all weights are decoded into scratch,
 * then depthwise_conv2d_s8.c runs.
 *
 * operands: x, y, scratch of kernel_h * kernel_w * out_c bytes.
 */
#include "nibbles.h"

int tml_depthwise_conv2d_w4(const tml_context *context, const void *params, const uint32_t *operands) {
  tml_conv2d_params part = *(const tml_conv2d_params *)params;
  const tml_nibbles packed = tml_nibbles_open(part.weights);
  int8_t *weights = tml_operand(context, operands[2]);
  tml_nibbles_decode(packed.table, packed.codes, weights, (uint32_t)part.kernel_h * part.kernel_w * part.out_c);
  part.weights = weights;
  return tml_depthwise_conv2d_s8(context, &part, operands);
}
