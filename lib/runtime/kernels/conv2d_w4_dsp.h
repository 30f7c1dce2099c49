/* conv2d_w4_dsp.h: packed weights to the streams of dsp_product.h: two codes in bits 3 to 6 of their bytes, less
 * 0x4040, are at once 256 * odd + even.
 */
#ifndef TINYML_KERNELS_CONV2D_W4_DSP_H
#define TINYML_KERNELS_CONV2D_W4_DSP_H

#include "conv2d_dsp.h"
#include "conv2d_w4.h"

static inline uint32_t tml_w4_halves(const int8_t *table, uint32_t codes) {
  uint32_t bytes;
  if (!table) return tml_ssub16(codes & 0x78787878u, 0x40404040u);
  bytes = tml_nibbles_four(table, codes);
  return tml_sadd16(bytes & 0xFF00FF00u, tml_sxtb16(bytes));
}

static void tml_w4_decode(const int8_t *table, const uint8_t *codes, uint32_t *to, uint32_t words) {
  for (; words > 0; --words, codes += 4, to += 2) {
    const uint32_t word = tml_nibbles_load(codes);
    to[0] = tml_w4_halves(table, word << 3);
    to[1] = tml_w4_halves(table, word >> 1);
  }
}

/* tail, next: words of a block behind its weights, and of the next block. */
static inline tml_w4_blocks tml_w4_dsp_blocks(const tml_conv2d_dsp_params *p, uint32_t tail, uint32_t next) {
  tml_w4_blocks blocks;
  blocks.channels = TML_DSP_CHANNELS;
  blocks.head = 1;
  blocks.middle = tml_conv2d_taps(p) / 2;
  blocks.tail = tail;
  blocks.next = next;
  blocks.decode = tml_w4_decode;
  return blocks;
}

#endif
