/* depthwise3x3_stride2_s16_dsp.c: 3x3 depthwise convolution of int16, stride 2, for Cortex-M4, M7 and M33; see
 * depthwise_s16_dsp.h and depthwise3x3_stride2_dsp.h.
 */
#include "depthwise3x3_stride2_dsp.h"
#include "depthwise_s16_dsp.h"

#if TML_DSP_ASM
#define SATURATE(r) "ssat " r ", #16, " r "\n"
#define POSITIVE(r) "usat " r ", #15, " r "\n"
TML_DEPTHWISE3X3_STRIDE2_DSP(depthwise_channel, SATURATE, "strh")
TML_DEPTHWISE3X3_STRIDE2_DSP(depthwise_positive, POSITIVE, "strh")
#else
static void depthwise_channel(const tml_depthwise_channel *job) { tml_depthwise_plain_s16(job, 2, INT16_MIN); }
static void depthwise_positive(const tml_depthwise_channel *job) { tml_depthwise_plain_s16(job, 2, 0); }
#endif

int tml_depthwise3x3_stride2_s16_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_depthwise_run_s16(context, params, operands, 2, depthwise_channel, depthwise_positive);
}
