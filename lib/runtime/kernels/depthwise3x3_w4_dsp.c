/* depthwise3x3_w4_dsp.c: 3x3 depthwise convolution of packed weights for cores with the DSP extension, stride 1, by
 * depthwise3x3_s8_dsp.c.
 *
 * operands: x, y, scratch: the stream of all channels, rounded up to 4 bytes, then that of the int8 kernel.
 */
#include "depthwise_dsp.h"
#include "depthwise_w4.h"

int tml_depthwise3x3_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  tml_depthwise_dsp_params part = *(const tml_depthwise_dsp_params *)params;
  const uint32_t raw = part.multiplier_step && !part.code_shift ? 8u : 4u,
                 bytes = part.channels * (raw + TML_DEPTHWISE_TAPS);
  int8_t *stream = tml_operand(context, operands[2]);
  uint32_t own[3];
  own[0] = operands[0];
  own[1] = operands[1];
  own[2] = operands[2] + ((bytes + 3u) & ~3u);
  tml_w4_decode_channels(part.stream, stream, part.channels, raw, TML_DEPTHWISE_TAPS, 0);
  part.stream = stream;
  return tml_depthwise3x3_s8_dsp(context, &part, own);
}
