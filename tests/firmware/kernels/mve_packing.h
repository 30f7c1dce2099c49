/* mve_packing.h: the packed constants of mve_product.h, written once more from its description: slow and obvious. */
#ifndef TINYML_TESTS_MVE_PACKING_H
#define TINYML_TESTS_MVE_PACKING_H

#include "tinyml_runtime.h"

static int8_t packed_weight(const int8_t *weights, uint32_t channels, uint32_t taps, uint32_t c, uint32_t k) {
  return c < channels && k < taps ? weights[c * taps + k] : 0;
}

/* Weights [channels][taps], `rows` channels to a block; one multiplier for all when step is 0. */
static void pack_mve(const int8_t *weights, const int32_t *bias, const int32_t *multipliers, uint32_t step,
                     uint32_t channels, uint32_t taps, uint32_t rows, uint32_t *to) {
  uint32_t block, c, k, i;
  for (block = 0; block < channels; block += rows) {
    int8_t *bytes;
    for (c = block; c < block + rows; ++c) *to++ = c < channels ? (uint32_t)bias[c] : 0;
    bytes = (int8_t *)to;
    k = 0;
    if ((taps - 1) % 16 < 8) { /* an odd multiple of 8, rounded up */
      for (c = block; c < block + rows; ++c) {
        for (i = 0; i < 8; ++i) *bytes++ = packed_weight(weights, channels, taps, c, i);
      }
      k = 8;
    }
    for (; k < taps; k += 16) {
      for (c = block; c < block + rows; ++c) {
        for (i = k; i < k + 16; ++i) *bytes++ = packed_weight(weights, channels, taps, c, i);
      }
    }
    to = (uint32_t *)(void *)bytes;
    for (c = block; c < block + rows; ++c) *to++ = c < channels ? (uint32_t)multipliers[c * step] : 0;
  }
}

#endif
