/* depthwise3x3_stride2_s8_dsp.c: 3x3 depthwise convolution, stride 2, for the DSP extension; see
 * depthwise3x3_stride2_s8_dsp.h. */
#include "depthwise3x3_stride2_s8_dsp.h"

int tml_depthwise3x3_stride2_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_depthwise3x3_stride2_s8_dsp_body(context, (const tml_depthwise_dsp_params *)params, operands);
}
