/* tml_internal.h: what the kernels share: where an operand is, and how an accumulator becomes an int8.
 *
 * Everything is static inline: a kernel's object file needs no other. Right shifts of negative values are arithmetic
 * and narrowing to a signed type keeps the low bits on every compiler that we support (gcc, clang, armclang, IAR);
 * nothing else here leaves C99.
 */
#ifndef TINYML_TML_INTERNAL_H
#define TINYML_TML_INTERNAL_H

#include "tinyml_runtime.h"

/* gcc 12 for Helium gathers four scalar products through memory into one vector addition: 4.5 instead of 3.0
 * instructions per multiply-accumulate in a 1x1 convolution. */
#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-slp-vectorize")
#endif

/* A debug build (-O0) of gcc keeps a frame pointer and every operand of an assembler block in a register of its own:
 * too many for the kernels' blocks. What includes this header is optimized a little even then. */
#if defined(__ARM_ARCH) && defined(__GNUC__) && !defined(__clang__) && !defined(__OPTIMIZE__)
#pragma GCC optimize("O1", "omit-frame-pointer")
#endif

/* An emitted model may compile a kernel's body (tml_<kernel>_body in its header) for a shape that is a constant there:
 * with TML_FIXED_SHAPE defined, and TML_FLAT at the function that calls the body, all of it becomes that one function,
 * and the compiler folds what the shape decides. Otherwise TML_NOINLINE stands at functions of which a copy at each
 * call would cost more flash and stack than it saves in time. */
#if defined(TML_FIXED_SHAPE)
#define TML_NOINLINE inline
#elif defined(__GNUC__)
#define TML_NOINLINE __attribute__((noinline, unused))
#else
#define TML_NOINLINE
#endif
#if defined(__GNUC__)
#define TML_FLAT __attribute__((flatten))
#else
#define TML_FLAT
#endif

static inline int8_t *tml_operand(const tml_context *context, uint32_t offset) {
  return (int8_t *)(context->arena + offset);
}

static inline int32_t tml_clamp(int32_t value, int32_t low, int32_t high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

/* To int8: one instruction on Cortex-M3 and up, which gcc 12 does not find by itself. */
static inline int32_t tml_saturate8(int32_t value) {
#if defined(__thumb2__) && defined(__GNUC__)
  __asm__("ssat %0, #8, %1" : "=r"(value) : "r"(value));
  return value;
#else
  return tml_clamp(value, INT8_MIN, INT8_MAX);
#endif
}

static inline uint32_t tml_min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* The way out of every kernel: shift, then the clamp's bounds less the zero point, then the zero point. */
typedef struct tml_output {
  uint32_t shift;
  int32_t low, high, zero;
} tml_output;

static inline tml_output tml_make_output(uint8_t shift, int8_t zero, int8_t clamp_min, int8_t clamp_max) {
  tml_output output;
  output.shift = shift;
  output.low = clamp_min - zero;
  output.high = clamp_max - zero;
  output.zero = zero;
  return output;
}

static inline int8_t tml_finish(int32_t value, tml_output output) {
  return (int8_t)(tml_clamp(value, output.low, output.high) + output.zero);
}

/* The general case of tml_requantize. The high word of the rounded product is saturated to 9 bits before it is shifted
 * back: what lies outside is outside of any clamp too, so the result is exact for every accumulator. */
static TML_NOINLINE int32_t tml_scale_shifted(int32_t acc, int32_t multiplier, uint32_t shift) {
  const int64_t rounded = (int64_t)acc * multiplier + ((int64_t)1 << (31 - shift));
  const uint32_t high = (uint32_t)tml_clamp((int32_t)(rounded >> 32), -256, 255);
  return (int32_t)((high << shift) | ((uint32_t)rounded >> (32 - shift)));
}

/* Shift 0, which is any scale below 1/2 and so nearly every layer: the high word of the product, rounded. */
static inline int32_t tml_scale_high(int32_t acc, int32_t multiplier) {
  const int64_t product = (int64_t)acc * multiplier;
  return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
}

/* zero + clamp(floor(acc * multiplier / 2^(32 - shift) + 1/2)), shift <= 23, |multiplier| < 2^31. */
static inline int8_t tml_requantize(int32_t acc, int32_t multiplier, tml_output output) {
  if (output.shift == 0) return tml_finish(tml_scale_high(acc, multiplier), output);
  return tml_finish(tml_scale_shifted(acc, multiplier, output.shift), output);
}

/* Where the accumulators of neighbouring channels go. */
typedef struct tml_store {
  const int32_t *multipliers;
  uint32_t step; /* 1: one multiplier per channel, 0: one for all */
  uint32_t rows; /* channels of a call, at least 1 */
  tml_output output;
} tml_store;

/* y[i] = requantize(acc[i]) with the multipliers from channel `first` on. */
static TML_NOINLINE void tml_store_rows(const tml_store *s, uint32_t first, const int32_t *acc, int8_t *y) {
  const tml_output output = s->output;
  const uint32_t step = s->step;
  const int32_t *multiplier = s->multipliers + first * step;
  const int8_t *end = y + s->rows;
  if (output.shift == 0) {
    do {
      *y++ = tml_finish(tml_scale_high(*acc++, *multiplier), output);
      multiplier += step;
    } while (y != end);
  } else {
    do {
      *y++ = tml_finish(tml_scale_shifted(*acc++, *multiplier, output.shift), output);
      multiplier += step;
    } while (y != end);
  }
}

/* (acc + 2^(shift-1)) >> shift, for kernels whose products fit into 32 bits; 1 <= shift <= 30. */
static inline int8_t tml_round_shift(int32_t acc, tml_output output) {
  return tml_finish((acc + ((int32_t)1 << (output.shift - 1))) >> output.shift, output);
}

#endif
