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

/* Four rows of weights and their accumulators. */
typedef struct tml_dot_block {
  uint32_t row1, row2, row3; /* where the rows start, relative to the first */
  int32_t acc[TML_DOT_ROWS];
} tml_dot_block;

/* gcc for x86 proves that the product of two int8 fits into 16 bits, multiplies there and then pays for widening. With
 * 16-bit terms and an offset that it cannot see through it uses pmaddwd instead: 17 rather than 9 GMAC/s (gcc 12, SSE2,
 * runs of 64). */
#if defined(__SSE2__)
typedef int16_t tml_term;
static const volatile int16_t tml_no_offset = 0;
#else
typedef int32_t tml_term;
enum { tml_no_offset = 0 };
#endif

/* acc[r] += sum of (x[i] - offset) * w[row_r + i]. */
static inline void tml_dot_run(tml_dot_block *block, const int8_t *x, tml_term offset, const int8_t *w, uint32_t n) {
  const int8_t *w1 = w + block->row1, *w2 = w + block->row2, *w3 = w + block->row3;
  int32_t a0 = block->acc[0], a1 = block->acc[1], a2 = block->acc[2], a3 = block->acc[3];
  uint32_t i;
  for (i = 0; i < n; ++i) {
    const tml_term v = (tml_term)(x[i] - offset);
    const tml_term u0 = w[i], u1 = w1[i], u2 = w2[i], u3 = w3[i];
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

/* What becomes of `count` output channels. A block yields store.rows of them: four, or one where there are fewer than
 * four in all (then the four rows of the block are the same). */
typedef struct tml_dot_output {
  const int8_t *weights; /* [count][stride] */
  const int32_t *bias;
  uint32_t stride;
  uint32_t count;
  tml_store store;
} tml_dot_output;

static inline uint32_t tml_dot_block_rows(uint32_t count) { return count < TML_DOT_ROWS ? 1 : TML_DOT_ROWS; }

/* The first channel of the block that starts at `next`: the last block starts early enough to be full, so it computes
 * some channels twice. */
static inline uint32_t tml_dot_first(const tml_dot_output *o, uint32_t next) {
  return tml_min_u32(next, o->count - o->store.rows);
}

static inline void tml_dot_begin(const tml_dot_output *o, uint32_t first, tml_dot_block *block) {
  const int32_t *bias = o->bias + first;
  if (o->store.rows == 1) {
    block->row1 = block->row2 = block->row3 = 0;
    block->acc[0] = block->acc[1] = block->acc[2] = block->acc[3] = bias[0];
  } else {
    block->row1 = o->stride;
    block->row2 = o->stride * 2;
    block->row3 = o->stride * 3;
    block->acc[0] = bias[0];
    block->acc[1] = bias[1];
    block->acc[2] = bias[2];
    block->acc[3] = bias[3];
  }
}

/* y[c] = requantize(bias[c] + x . weights[c]) for all output channels: x is one dense run of `stride` inputs. */
static TML_NOINLINE void tml_dot_channels(const tml_dot_output *o, const int8_t *x, int8_t *y) {
  uint32_t next;
  for (next = 0; next < o->count; next += o->store.rows) {
    const uint32_t first = tml_dot_first(o, next);
    tml_dot_block block;
    tml_dot_begin(o, first, &block);
    tml_dot_run(&block, x, tml_no_offset, o->weights + first * o->stride, o->stride);
    tml_store_rows(&o->store, first, block.acc, y + first);
  }
}

#endif
