/* dsp_packing.h: the packed constants of dsp_product.h, written once more from its description: slow and obvious. */
#ifndef TINYML_TESTS_DSP_PACKING_H
#define TINYML_TESTS_DSP_PACKING_H

#include "kernel_test.h"
#include "tinyml_runtime.h"

static inline int32_t packed_weight(const int8_t *weights, uint32_t channels, uint32_t taps, uint32_t c, uint32_t k) {
  return c < channels && k < taps ? weights[c * taps + k] : 0;
}

static inline uint32_t packed_pair(int32_t odd, int32_t even) { return (uint32_t)odd * 256u + (uint32_t)even; }

/* Brings multipliers to those of codes of 10 bits, as kernels/channel_word.h says, and biases to 22 bits, the extremes
 * among them; returns the shift of the codes. */
static uint32_t shorten_dsp(int32_t *bias, int32_t *multipliers, uint32_t channels) {
  int32_t largest = 1;
  uint32_t c, left = 0;
  for (c = 0; c < channels; ++c) largest = multipliers[c] > largest ? multipliers[c] : largest;
  while (largest >> left > 1023) ++left;
  for (c = 0; c < channels; ++c) {
    const uint32_t code = test_chance(5) ? 1023u : (uint32_t)multipliers[c] >> left;
    multipliers[c] = (int32_t)(((uint64_t)code * 4194304u + 0x155500u + 22u - left) >> (22u - left));
    if (bias[c] < -(1 << 21) || test_chance(2)) bias[c] = -(1 << 21);
    if (bias[c] >= 1 << 21 || test_chance(2)) bias[c] = (1 << 21) - 1;
  }
  return 22 - left;
}

static inline uint32_t channel_word(int32_t bias, int32_t multiplier, uint32_t shift) {
  return (uint32_t)bias * 1024u + ((uint32_t)multiplier >> (22 - shift));
}

/* Weights [channels][taps], `group` channels to a block; one multiplier for all when step is 0. Short with the shift of
 * the codes, long when it is 0. */
static inline void pack_dsp(const int8_t *weights, const int32_t *bias, const int32_t *multipliers, uint32_t step,
                            uint32_t channels, uint32_t taps, uint32_t group, uint32_t shift, uint32_t *to) {
  static const uint32_t order[2][2] = {{0, 2}, {1, 3}};
  uint32_t block, c, k, word, half;
  for (block = 0; block < channels; block += group) {
    for (c = block; c < block + group; c += 2, ++to) {
      *to = c < channels ? (uint32_t)bias[c] : 0;
      if (shift > 0) {
        *to = channel_word((int32_t)*to, block > 0 ? multipliers[(c - group) * step] : 0, shift);
      }
    }
    for (k = 0; k < taps; k += 4) {
      for (word = 0; word < 2; ++word) {
        for (c = block; c < block + group; c += 2) {
          uint32_t packed = 0;
          for (half = 0; half < 2; ++half) {
            const uint32_t tap = k + order[word][half];
            packed |= (packed_pair(packed_weight(weights, channels, taps, c + 1, tap),
                                   packed_weight(weights, channels, taps, c, tap)) &
                       0xFFFFu)
                      << 16 * half;
          }
          *to++ = packed;
        }
      }
    }
    for (c = block + 1; c < block + group; c += 2, ++to) {
      *to = c < channels ? (uint32_t)bias[c] : 0;
      if (shift > 0 && c < channels) *to = channel_word(bias[c], multipliers[c * step], shift);
    }
    for (c = block; c < block + group && shift == 0; ++c) *to++ = c < channels ? (uint32_t)multipliers[c * step] : 0;
  }
  for (c = block - group; c < block && shift > 0; c += 2) {
    *to++ = channel_word(0, c < channels ? multipliers[c * step] : 0, shift);
  }
}

/* Whether the odd channels' products stay within 24 bits for any input, and with a shift all sums within 32. */
static inline int packable_dsp(const int8_t *weights, const int32_t *bias, uint32_t channels, uint32_t taps,
                               uint32_t shift) {
  uint32_t c, k;
  for (c = 0; c < channels; ++c) {
    int32_t low = 0, high = 0;
    for (k = 0; k < taps; ++k) {
      const int32_t w = weights[c * taps + k];
      low += w < 0 ? w * 127 : w * -128;
      high += w < 0 ? w * -128 : w * 127;
    }
    if ((c & 1u) && (low < -(1 << 23) || high >= 1 << 23)) return 0;
    low += bias[c], high += bias[c];
    if (shift > 0 && (low < -(1 << (31 - shift)) || high >= 1 << (31 - shift))) return 0;
  }
  return 1;
}

#endif
