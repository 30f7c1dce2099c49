/* conv2d_w4_dsp.c: 2-D convolution of packed weights for cores with the DSP extension, by conv2d_s8_dsp.c.
 *
 * operands: x, [residual,] y, scratch; packed constants and scratch: see the record. Two codes in bits 3 to 6 of their
 * bytes, less 0x4040, are at once the 256 * odd + even of dsp_product.h.
 */
#include "conv2d_w4.h"
#include "dsp_product.h"

static inline uint32_t halves(const int8_t *table, uint32_t codes) {
  uint32_t bytes;
  if (!table) return tml_ssub16(codes & 0x78787878u, 0x40404040u);
  bytes = tml_nibbles_four(table, codes);
  return tml_sadd16(bytes & 0xFF00FF00u, tml_sxtb16(bytes));
}

static void decode(const int8_t *table, const uint8_t *codes, uint32_t *to, uint32_t words) {
  for (; words > 0; --words, codes += 4, to += 2) {
    const uint32_t word = tml_nibbles_load(codes);
    to[0] = halves(table, word << 3);
    to[1] = halves(table, word >> 1);
  }
}

int tml_conv2d_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_dsp_params *p = (const tml_conv2d_dsp_params *)params;
  const uint32_t k = tml_dsp_round_up((uint32_t)p->kernel_h * p->kernel_w * p->in_c);
  tml_w4_blocks blocks;
  blocks.channels = TML_DSP_CHANNELS;
  blocks.head = 1;
  blocks.middle = k / 2;
  blocks.tail = tml_dsp_block_words(k) - 1 - k / 2;
  blocks.decode = decode;
  return tml_w4_conv2d(context, p, operands, &blocks, tml_conv2d_s8_dsp);
}
