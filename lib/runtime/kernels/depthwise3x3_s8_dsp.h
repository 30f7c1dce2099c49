/* depthwise3x3_s8_dsp.h: 3x3 depthwise convolution, stride 1, for Cortex-M4, M7 and M33; see
 * depthwise3x3_dsp.h.
 */
#ifndef TINYML_KERNELS_DEPTHWISE3X3_S8_DSP_H
#define TINYML_KERNELS_DEPTHWISE3X3_S8_DSP_H

#include "depthwise3x3_dsp.h"

#if TML_DSP_ASM
#define SATURATE_BY_1(r) "ssat " r ", #8, " r "\n"
TML_DEPTHWISE3X3_DSP(depthwise_channel_s8_by_1, SATURATE_BY_1, "strb")
#else
static void depthwise_channel_s8_by_1(const tml_depthwise_channel *job) { tml_depthwise_plain(job, 1); }
#endif

static inline int tml_depthwise3x3_s8_dsp_body(const tml_context *context, const tml_depthwise_dsp_params *p,
                                               const uint32_t *operands) {
  return tml_depthwise_dsp_run(context, p, operands, 1, depthwise_channel_s8_by_1);
}

#endif
