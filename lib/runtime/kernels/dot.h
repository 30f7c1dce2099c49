/* dot.h: the inner loops of convolution and fully connected: one run of inputs against four rows of weights.
 *
 * Four rows share each input, so a multiply-accumulate costs 1.25 loads, and five pointers plus four accumulators
 * still fit into the registers of a Cortex-M; for two pixels at once two rows of weights: one load per
 * multiply-accumulate. The loops are plain on purpose: a host compiler vectorizes them as they stand; only for a
 * microcontroller they are unrolled by hand. Faster variants for a core replace this file's functions.
 */
#ifndef TINYML_KERNELS_DOT_H
#define TINYML_KERNELS_DOT_H

#include "dot_thumb2.h"

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

/* Taps from which on two pixels at once are faster than one (vectors on a host: 3.5 against 2.5 GMAC/s for 27 taps). */
#if defined(__SSE2__)
enum { TML_PAIR_TAPS = 32 };
#else
enum { TML_PAIR_TAPS = 1 };
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

/* The same without an offset. */
static inline void tml_dot_rows(tml_dot_block *block, const int8_t *x, const int8_t *w, uint32_t n) {
#if TML_THUMB2_ASM
  const int8_t *const rows[4] = {w, w + block->row1, w + block->row2, w + block->row3};
  tml_dot_rows_thumb2(x, rows, n, block->acc);
#else
  tml_dot_run(block, x, tml_no_offset, w, n);
#endif
}

static TML_NOINLINE void tml_dot_add(tml_dot_block *block, const int8_t *x, const int8_t *w, uint32_t n) {
  tml_dot_rows(block, x, w, n);
}

/* What becomes of `count` output channels. A block yields store.rows of them: four, or one where there are fewer than
 * four in all (then the four rows of the block are the same). */
typedef struct tml_dot_output {
  const int8_t *weights; /* [count][stride] */
  const int32_t *bias;
  uint32_t stride;
  uint32_t count;
  uint32_t pitch; /* of a convolution: from a pixel's outputs to the next pixel's */
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
    tml_dot_rows(&block, x, o->weights + first * o->stride, o->stride);
    tml_store_rows(&o->store, first, block.acc, y + first);
  }
}

/* Two pixels' windows: `runs` runs of inputs, `gap` bytes from one's begin to the next's, against weights without gaps.
 * Before and behind stand weights whose taps are padding, `pad` each. */
typedef struct tml_dot_window {
  const int8_t *x0, *x1;
  uint32_t runs, run, gap;
  uint32_t before, behind;
  int32_t pad;
} tml_dot_window;

static TML_NOINLINE int32_t tml_dot_sum(const int8_t *w, uint32_t n) {
  int32_t sum = 0;
  for (; n > 0; --n) sum += *w++;
  return sum;
}

/* What padding adds to a channel whose weights stand at w. */
static inline int32_t tml_dot_padding(const tml_dot_window *s, const int8_t *w) {
  if ((s->before | s->behind) == 0) return 0;
  return s->pad * (tml_dot_sum(w, s->before) + tml_dot_sum(w + s->before + s->runs * s->run, s->behind));
}

static inline uint32_t tml_dot_pairable(const tml_dot_output *o) { return o->count >= 2 && o->stride >= TML_PAIR_TAPS; }

/* Channels c and c + 1 of two pixels. */
static TML_NOINLINE void tml_dot_pair(const tml_dot_output *o, const tml_dot_window *s, uint32_t c, int8_t *y0,
                                      int8_t *y1) {
  const int8_t *w0 = o->weights + c * o->stride, *w1 = w0 + o->stride, *x0 = s->x0, *x1 = s->x1;
  const int32_t *multiplier = o->store.multipliers + c * o->store.step;
  int32_t a00 = o->bias[c] + tml_dot_padding(s, w0), a01 = o->bias[c + 1] + tml_dot_padding(s, w1);
  int32_t a10 = a00, a11 = a01;
  const tml_term offset = tml_no_offset;
  uint32_t runs, i;
  w0 += s->before;
  w1 += s->before;
  for (runs = s->runs; runs > 0; --runs) {
    for (i = 0; i < s->run; ++i) {
      const tml_term v0 = x0[i], v1 = x1[i];
      const tml_term u0 = (tml_term)(w0[i] - offset), u1 = (tml_term)(w1[i] - offset);
      a00 += v0 * u0;
      a10 += v1 * u0;
      a01 += v0 * u1;
      a11 += v1 * u1;
    }
    x0 += s->gap;
    x1 += s->gap;
    w0 += s->run;
    w1 += s->run;
  }
  y0[c] = tml_requantize(a00, *multiplier, o->store.output);
  y1[c] = tml_requantize(a10, *multiplier, o->store.output);
  multiplier += o->store.step;
  y0[c + 1] = tml_requantize(a01, *multiplier, o->store.output);
  y1[c + 1] = tml_requantize(a11, *multiplier, o->store.output);
}

#if TML_THUMB2_ASM
/* `count` channels from `first` on, an even number. */
static TML_NOINLINE void tml_dot_pairs_of(const tml_dot_output *o, const tml_dot_window *s, uint32_t first,
                                          uint32_t count, int8_t *y0, int8_t *y1) {
  tml_dot_pairs job;
  job.x0 = s->x0;
  job.x1 = s->x1;
  job.runs = s->runs;
  job.run = s->run;
  job.gap = s->gap;
  job.bias = o->bias + first;
  job.multipliers = o->store.multipliers + first * o->store.step;
  job.multiplier_bytes = o->store.step * 4;
  job.zero = o->store.output.zero;
  job.y0 = y0 + first;
  job.y1 = y1 + first;
  job.y0_end = job.y0 + count;
  job.stride = o->stride;
  job.weights = o->weights + first * o->stride;
  tml_dot_pairs_run(&job);
  tml_clamp_more(&o->store.output, y0 + first, count);
  tml_clamp_more(&o->store.output, y1 + first, count);
}
#endif

/* All output channels of two pixels; at least two channels. An odd last one is computed with its neighbour, again. */
static TML_NOINLINE void tml_dot_pixels(const tml_dot_output *o, const tml_dot_window *s, int8_t *y0, int8_t *y1) {
  uint32_t c = 0;
#if TML_THUMB2_ASM
  if ((s->before | s->behind | o->store.output.shift) == 0) {
    c = o->count & ~1u;
    tml_dot_pairs_of(o, s, 0, c, y0, y1);
  }
#endif
  for (; c < o->count; c += 2) tml_dot_pair(o, s, tml_min_u32(c, o->count - 2), y0, y1);
}

#endif
