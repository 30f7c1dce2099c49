/* conv2d_s8_dsp.c: 2-D convolution with SMLAD (conv2d_dsp.h) for any multipliers: a word each in the stream. */
#include "conv2d_dsp.h"

#if TML_DSP_ASM
static TML_NAKED void multiply(TML_UNUSED const tml_dsp_block *block) {
  __asm__ volatile(TML_DSP_BEGIN
      "1:\n"
      "ldr r0, [r12], #4\n" TML_DSP_SUMS
      "ldm sp, {r6, r7, r10, lr}\n" /* shift, zero, stride, y */
      "cbnz r6, 4f\n"
      "ldm r12!, {r6, r8, r9}\n"
      "add r0, r6, r0, asr #8\n"
      "add r1, r6, r1, asr #8\n"
      "add r2, r6, r2, asr #8\n"
      "3:\n" TML_DSP_STORE("r8", "r9", "r7", "r10")
      "4:\n"
      "ldr r8, [r12], #4\n"
      "add r0, r8, r0, asr #8\n"
      "add r1, r8, r1, asr #8\n"
      "add r2, r8, r2, asr #8\n"
      "ldrd r8, r9, [r12], #8\n"
      "lsl r0, r0, r6\n"
      "lsl r1, r1, r6\n"
      "lsl r2, r2, r6\n"
      "lsl r3, r3, r6\n"
      "lsl r4, r4, r6\n"
      "lsl r5, r5, r6\n"
      "b 3b\n");
}
#else
static void multiply(const tml_dsp_block *block) {
  const uint32_t *w = block->stream;
  int8_t *y;
  for (y = block->y; y != block->y_end; y += TML_DSP_CHANNELS, w += 3) {
    int32_t odd[TML_DSP_COLUMNS], even[TML_DSP_COLUMNS];
    w = tml_dsp_sums(block, w + 1, (int32_t)*w, odd, even);
    tml_dsp_store(block, even, 0, block->shift, (int32_t)w[1], y);
    tml_dsp_store(block, odd, (int32_t)w[0], block->shift, (int32_t)w[2], y + 1);
  }
}
#endif

int tml_conv2d_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_dsp_params *p = (const tml_conv2d_dsp_params *)params;
  const uint32_t k = tml_conv2d_taps(p);
  tml_dsp_kind kind;
  kind.product = multiply;
  kind.shift = p->shift;
  kind.block_words = k / 2 + 4;
  kind.skip = tml_dsp_skip(k);
  return tml_conv2d_dsp_run(context, p, operands, &kind);
}
