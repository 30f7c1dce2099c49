/* conv2d_w4_dsp.c: 2-D convolution of packed weights for cores with the DSP extension, by conv2d_s8_dsp.c.
 *
 * operands: x, [residual,] y, scratch; packed constants and scratch: see the record.
 */
#include "conv2d_w4_dsp.h"

int tml_conv2d_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_dsp_params *p = (const tml_conv2d_dsp_params *)params;
  const tml_w4_blocks blocks = tml_w4_dsp_blocks(p, 3, 0);
  return tml_w4_conv2d(context, p, operands, &blocks, tml_conv2d_s8_dsp);
}
