/* dot.h: the inner loops of convolution and fully connected: one run of inputs against four rows of weights.
 *
 * Four rows share each input, so a multiply-accumulate costs 1.25 loads, and five pointers plus four accumulators
 * still fit into the registers of a Cortex-M. The loops are plain on purpose: a host compiler vectorizes them as they
 * stand. Faster variants for a core replace this file's functions.
 */
#ifndef TINYML_KERNELS_DOT_H
#define TINYML_KERNELS_DOT_H

#include "../tml_internal.h"

#define TML_DOT_ROWS 4

/* Four rows of weights and their accumulators. Of the rows, 1 to 4 exist; the last one stands in for the rest. */
typedef struct tml_dot_block {
  uint32_t row1, row2, row3; /* where the rows start, relative to the first */
  int32_t acc[TML_DOT_ROWS];
} tml_dot_block;

/* gcc for x86 proves that the product of two int8 fits into 16 bits, multiplies there and then pays for widening. An
 * offset that it cannot see through makes it use pmaddwd instead: 9 against 17 GMAC/s (gcc 12, SSE2, runs of 64). */
#if defined(__SSE2__)
static const volatile int16_t tml_no_offset = 0;
#else
enum { tml_no_offset = 0 };
#endif

/* acc[r] += sum of (x[i] - offset) * w[row_r + i]. */
static inline void tml_dot_run(tml_dot_block *block, const int8_t *x, int16_t offset, const int8_t *w, uint32_t n) {
  const int8_t *w1 = w + block->row1, *w2 = w + block->row2, *w3 = w + block->row3;
  int32_t a0 = block->acc[0], a1 = block->acc[1], a2 = block->acc[2], a3 = block->acc[3];
  uint32_t i;
  for (i = 0; i < n; ++i) {
    const int16_t v = (int16_t)(x[i] - offset);
    const int16_t u0 = w[i], u1 = w1[i], u2 = w2[i], u3 = w3[i];
    a0 += v * u0;
    a1 += v * u1;
    a2 += v * u2;
    a3 += v * u3;
  }
  block->acc[0] = a0;
  block->acc[1] = a1;
  block->acc[2] = a2;
  block->acc[3] = a3;
}

static TML_NOINLINE void tml_dot_add(tml_dot_block *block, const int8_t *x, const int8_t *w, uint32_t n) {
  tml_dot_run(block, x, tml_no_offset, w, n);
}

/* What becomes of the accumulators of `count` output channels. */
typedef struct tml_dot_output {
  const int8_t *weights; /* [count][stride] */
  const int32_t *bias;
  const int32_t *multipliers;
  uint32_t stride;
  uint32_t count;
  uint32_t multiplier_step;
  tml_output output;
} tml_dot_output;

static TML_NOINLINE void tml_dot_begin(const tml_dot_output *o, uint32_t first, tml_dot_block *block) {
  const uint32_t last = tml_min_u32(o->count - first, TML_DOT_ROWS) - 1;
  uint32_t r;
  block->row1 = last < 1 ? 0 : o->stride;
  block->row2 = block->row1 + (last < 2 ? 0 : o->stride);
  block->row3 = block->row2 + (last < 3 ? 0 : o->stride);
  for (r = 0; r < TML_DOT_ROWS; ++r) block->acc[r] = o->bias[first + tml_min_u32(r, last)];
}

static TML_NOINLINE void tml_dot_end(const tml_dot_output *o, uint32_t first, const tml_dot_block *block, int8_t *y) {
  const uint32_t rows = tml_min_u32(o->count - first, TML_DOT_ROWS);
  const int32_t *multipliers = o->multipliers + first * o->multiplier_step;
  uint32_t r;
  for (r = 0; r < rows; ++r)
    y[first + r] = tml_requantize(block->acc[r], multipliers[r * o->multiplier_step], o->output);
}

/* y[c] = requantize(bias[c] + x . weights[c]) for all output channels: x is one dense run of `stride` inputs. */
static TML_NOINLINE void tml_dot_channels(const tml_dot_output *o, const int8_t *x, int8_t *y) {
  const int8_t *weights = o->weights;
  uint32_t c;
  for (c = 0; c < o->count; c += TML_DOT_ROWS, weights += TML_DOT_ROWS * o->stride) {
    tml_dot_block block;
    tml_dot_begin(o, c, &block);
    tml_dot_add(&block, x, weights, o->stride);
    tml_dot_end(o, c, &block, y);
  }
}

#endif
