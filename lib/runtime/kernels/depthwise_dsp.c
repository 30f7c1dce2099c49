/* depthwise_dsp.c: the frame of the 3x3 depthwise kernels (depthwise_dsp_frame.h), shared by all that a firmware has.
 */
#include "depthwise_dsp_frame.h"

int tml_depthwise_dsp_run(const tml_context *context, const tml_depthwise_dsp_params *p, const uint32_t *operands,
                          uint32_t stride, tml_depthwise_function function) {
  return tml_depthwise_dsp_frame(context, p, operands, stride, function);
}
