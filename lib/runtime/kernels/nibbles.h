/* nibbles.h: weights of at most 16 distinct values, two to a byte, and how kernels decode them into scratch.
 *
 * A packed array begins with four bytes: the number of channels that are decoded at a time (little endian, two bytes),
 * whether a codebook follows, and zero. The codebook has 16 int8: code n means codebook[n]; without one it means
 * 8 * n - 64: eight times an int4, so that multipliers are about as small as with int8 weights.
 * Codes stand in chunks of eight weights, four bytes: the low nibbles are the weights 0 to 3, the high ones 4 to 7, so
 * that words are decoded with two masks. A rest of n < 8 weights has (n + 1) / 2 bytes, the first weight in the low
 * nibble. lib/device/pack_nibbles.cpp writes it, tests/firmware/kernels has a second writer.
 */
#ifndef TINYML_KERNELS_NIBBLES_H
#define TINYML_KERNELS_NIBBLES_H

#include <string.h>

#include "../tml_internal.h"

enum {
  TML_NIBBLES_HEADER = 4,
  TML_NIBBLES_TABLE = 16,
  TML_NIBBLES_RECORD = 80 /* of scratch, for the record of a part, which would be much for the stack */
};
typedef char tml_nibbles_record_is_enough /* else the size is negative */
    [sizeof(tml_conv2d_params) <= TML_NIBBLES_RECORD && sizeof(tml_conv2d_dsp_params) <= TML_NIBBLES_RECORD ? 1 : -1];

typedef struct tml_nibbles {
  const uint8_t *codes;
  const int8_t *table; /* null: 8 * n - 64 */
  uint32_t group;
} tml_nibbles;

static inline tml_nibbles tml_nibbles_open(const void *packed) {
  const uint8_t *at = (const uint8_t *)packed;
  tml_nibbles n;
  n.group = at[0] | (uint32_t)at[1] << 8;
  n.table = at[2] ? (const int8_t *)at + TML_NIBBLES_HEADER : 0;
  n.codes = at + TML_NIBBLES_HEADER + (at[2] ? TML_NIBBLES_TABLE : 0);
  return n;
}

static inline uint32_t tml_nibbles_load(const uint8_t *codes) {
  uint32_t word;
  memcpy(&word, codes, sizeof word);
  return word;
}

static inline int8_t tml_nibbles_one(const int8_t *table, uint32_t code) {
  return (int8_t)(table ? table[code] : (int32_t)code * 8 - 64);
}

/* Four codes, in bits 3 to 6 of a byte each, to four int8. Of the sums none carries: 0x40 <= each <= 0xB8. */
static inline uint32_t tml_nibbles_four(const int8_t *table, uint32_t codes) {
  uint32_t weights = 0, i;
  if (!table) return ((codes & 0x78787878u) + 0x40404040u) ^ 0x80808080u;
  for (i = 0; i < 32; i += 8) weights |= (uint32_t)(uint8_t)table[codes >> (i + 3) & 15u] << i;
  return weights;
}

/* n weights; returns what follows their codes. */
static TML_NOINLINE const uint8_t *tml_nibbles_decode(const int8_t *table, const uint8_t *codes, int8_t *to,
                                                      uint32_t n) {
  uint32_t i;
  for (; n >= 8; n -= 8, codes += 4, to += 8) {
    const uint32_t word = tml_nibbles_load(codes);
    const uint32_t low = tml_nibbles_four(table, word << 3), high = tml_nibbles_four(table, word >> 1);
    memcpy(to, &low, sizeof low);
    memcpy(to + 4, &high, sizeof high);
  }
  for (i = 0; i < n; ++i) to[i] = tml_nibbles_one(table, (uint32_t)codes[i / 2] >> (i % 2 * 4) & 15u);
  return codes + (n + 1) / 2;
}

#endif
