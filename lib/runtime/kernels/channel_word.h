/* channel_word.h: an output channel's bias and multiplier in one word, for the kernels whose name says `short`.
 *
 * word = bias * 2^10 + code, 0 <= code < 2^10, bias in 22 bits. With one shift, 1 to 22, for the whole layer and
 * bits = TML_CODE_BELOW + shift the channel's multiplier is (code * 2^22 + bits) >> shift. The constant below the code
 * keeps the multiplier from being a multiple of a power of two: else sums would fall half way between two outputs,
 * which runtimes of other arithmetic round to the other side. lib/device/channel_words.cpp makes such words where
 * nothing is lost. In assembler: ASR #10 for the bias; ORR with the code LSL #22, LSR (by the lowest byte) for the
 * multiplier.
 */
#ifndef TINYML_KERNELS_CHANNEL_WORD_H
#define TINYML_KERNELS_CHANNEL_WORD_H

#include "../tml_internal.h"

enum { TML_CODE_BITS = 10, TML_CODE_BELOW = 0x155500 };

static inline int32_t tml_word_bias(uint32_t word) { return (int32_t)word >> TML_CODE_BITS; }

/* What the kernels take for a record's shift. */
static inline uint32_t tml_word_bits(uint32_t shift) { return TML_CODE_BELOW + shift; }

static inline int32_t tml_word_multiplier(uint32_t word, uint32_t bits) {
  return (int32_t)((word << (32 - TML_CODE_BITS) | bits) >> (bits & 0xFFu));
}

#endif
