/* conv2d_short_s8_dsp.c: 2-D convolution with SMLAD (conv2d_dsp.h) whose biases share their words with the multipliers.
 */
#include "conv2d_dsp.h"

#if TML_DSP_ASM
/* r9: the first word of the block to come. */
static TML_NAKED void multiply(TML_UNUSED const tml_dsp_block *block) {
  __asm__ volatile(TML_DSP_BEGIN
                   "ldr r9, [r12], #4\n"
                   "1:\n"
                   "asr r0, r9, #10\n" TML_DSP_SUMS
                   "ldrd r6, r9, [r12], #8\n"
                   "ldm sp, {r7, r10, r11, lr}\n" /* bits, zero, stride, y */
                   "asr r8, r6, #10\n"
                   "add r0, r8, r0, asr #8\n"
                   "add r1, r8, r1, asr #8\n"
                   "add r2, r8, r2, asr #8\n"
                   "orr r6, r7, r6, lsl #22\n"
                   "orr r8, r7, r9, lsl #22\n"
                   "lsr r6, r6, r7\n"
                   "lsr r8, r8, r7\n" TML_DSP_STORE("r8", "r6", "r10", "r11"));
}
#else
static void multiply(const tml_dsp_block *block) {
  const uint32_t *w = block->stream;
  int8_t *y;
  for (y = block->y; y != block->y_end; y += TML_DSP_CHANNELS, ++w) {
    int32_t odd[TML_DSP_COLUMNS], even[TML_DSP_COLUMNS];
    w = tml_dsp_sums(block, w + 1, tml_word_bias(*w), odd, even);
    tml_dsp_store(block, even, 0, 0, tml_word_multiplier(w[1], block->shift), y);
    tml_dsp_store(block, odd, tml_word_bias(w[0]), 0, tml_word_multiplier(w[0], block->shift), y + 1);
  }
}
#endif

int tml_conv2d_short_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_dsp_params *p = (const tml_conv2d_dsp_params *)params;
  const uint32_t k = tml_conv2d_taps(p);
  tml_dsp_kind kind;
  kind.product = multiply;
  kind.shift = tml_word_bits(p->shift);
  kind.block_words = k / 2 + 2;
  kind.skip = tml_dsp_skip(k);
  return tml_conv2d_dsp_run(context, p, operands, &kind);
}
