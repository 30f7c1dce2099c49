/* depthwise3x3_stride2_s8_dsp.c: 3x3 depthwise convolution, stride 2, for Cortex-M4, M7, M33; see
 * depthwise3x3_stride2_dsp.h.
 */
#include "depthwise3x3_stride2_dsp.h"

#if TML_DSP_ASM
#define SATURATE(r) "ssat " r ", #8, " r "\n"
TML_DEPTHWISE3X3_STRIDE2_DSP(depthwise_channel, SATURATE, "strb")
#else
static void depthwise_channel(const tml_depthwise_channel *job) { tml_depthwise_plain(job, 2); }
#endif

int tml_depthwise3x3_stride2_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_depthwise_dsp_run(context, (const tml_depthwise_dsp_params *)params, operands, 2, depthwise_channel);
}
