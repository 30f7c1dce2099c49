/* depthwise_conv2d_w4_mve.c: depthwise convolution of packed weights for Helium, by depthwise_conv2d_s8_mve.c.
 *
 * operands: x, y, scratch: the stream of all channels, then that of the int8 kernel.
 */
#include "depthwise_w4.h"

int tml_depthwise_conv2d_w4_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  tml_depthwise_mve_params part = *(const tml_depthwise_mve_params *)params;
  const uint32_t taps = (uint32_t)part.kernel_h * part.kernel_w, padded = (taps + 4u) & ~3u;
  uint32_t *stream = (uint32_t *)(void *)tml_operand(context, operands[2]);
  uint32_t own[3];
  own[0] = operands[0];
  own[1] = operands[1];
  own[2] = operands[2] + part.channels * (8 + padded);
  tml_w4_decode_channels(part.stream, (int8_t *)stream, part.channels, 8, taps, padded - taps);
  part.stream = stream;
  return tml_depthwise_conv2d_s8_mve(context, &part, own);
}
