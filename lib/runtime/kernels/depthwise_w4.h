/* depthwise_w4.h: the streams of the depthwise kernels for certain cores from packed ones: for each channel bytes as
 * they are (bias, multiplier), the codes of its weights, and in the stream zeros behind them.
 */
#ifndef TINYML_KERNELS_DEPTHWISE_W4_H
#define TINYML_KERNELS_DEPTHWISE_W4_H

#include "nibbles.h"

static TML_NOINLINE void tml_w4_decode_channels(const void *stream, int8_t *to, uint32_t channels, uint32_t raw,
                                                uint32_t weights, uint32_t zeros) {
  const tml_nibbles packed = tml_nibbles_open(stream);
  const uint8_t *from = packed.codes;
  uint32_t i;
  for (; channels > 0; --channels) {
    memcpy(to, from, raw);
    from = tml_nibbles_decode(packed.table, from + raw, to + raw, weights);
    to += raw + weights;
    for (i = 0; i < zeros; ++i) *to++ = 0;
  }
}

#endif
