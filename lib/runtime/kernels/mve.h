/* mve.h: what the kernels for cores with Helium (Cortex-M55, M85) share: copies, fills and clamps of 16 bytes at a
 * time with tail predication, and the same in plain C for every other core and for the host simulation.
 *
 * Nothing is read or written behind the last byte. Requantization is VRMULH.S32: (acc * multiplier + 2^31) >> 32,
 * exactly tml_requantize with shift 0; adding the zero point saturates, so the result is exact for every accumulator.
 */
#ifndef TINYML_KERNELS_MVE_H
#define TINYML_KERNELS_MVE_H

#include <string.h>

#include "../tml_internal.h"

#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__) && defined(__thumb2__)
#define TML_MVE_ASM 1
#include <arm_mve.h>
#if defined(__clang__)
#define TML_MVE_NAKED __attribute__((naked, noinline, unused))
#else /* gcc would conclude from the empty body that no register changes and no parameter is needed */
#define TML_MVE_NAKED __attribute__((naked, noipa, unused))
#endif
#else
#define TML_MVE_ASM 0
#endif

/* The ranges do not overlap. */
static inline void tml_mve_copy(int8_t *to, const int8_t *from, uint32_t n) {
#if TML_MVE_ASM
  __asm__ volatile(
      "wlstp.8 lr, %2, 2f\n"
      "1: vldrb.8 q0, [%1], #16\n"
      "vstrb.8 q0, [%0], #16\n"
      "letp lr, 1b\n"
      "2:"
      : "+l"(to), "+l"(from)
      : "r"(n)
      : "d0", "d1", "lr", "memory");
#else
  memcpy(to, from, n);
#endif
}

/* `rows` runs of n bytes, each `pitch` behind the one before, to places `run` apart. */
static inline void tml_mve_copy_rows(int8_t *to, const int8_t *from, uint32_t n, uint32_t rows, uint32_t run,
                                     uint32_t pitch) {
#if TML_MVE_ASM
  const uint32_t groups = (n + 15u) & ~15u;
  __asm__ volatile(
      "1: wlstp.8 lr, %3, 3f\n"
      "2: vldrb.8 q0, [%1], #16\n"
      "vstrb.8 q0, [%0], #16\n"
      "letp lr, 2b\n"
      "3: add %1, %1, %4\n"
      "add %0, %0, %5\n"
      "subs %2, %2, #1\n"
      "bne 1b"
      : "+l"(to), "+l"(from), "+r"(rows)
      : "r"(n), "r"(pitch - groups), "r"(run - groups)
      : "d0", "d1", "lr", "cc", "memory");
#else
  for (; rows > 0; --rows, to += run, from += pitch) memcpy(to, from, n);
#endif
}

static inline void tml_mve_fill(int8_t *to, int8_t value, uint32_t n) {
#if TML_MVE_ASM
  __asm__ volatile(
      "vdup.8 q0, %2\n"
      "wlstp.8 lr, %1, 2f\n"
      "1: vstrb.8 q0, [%0], #16\n"
      "letp lr, 1b\n"
      "2:"
      : "+l"(to)
      : "r"(n), "r"((int32_t)value)
      : "d0", "d1", "lr", "memory");
#else
  memset(to, value, n);
#endif
}

static inline void tml_mve_clamp(int8_t *y, uint32_t n, int8_t low, int8_t high) {
#if TML_MVE_ASM
  __asm__ volatile(
      "vdup.8 q1, %2\n"
      "vdup.8 q2, %3\n"
      "wlstp.8 lr, %1, 2f\n"
      "1: vldrb.8 q0, [%0]\n"
      "vmax.s8 q0, q0, q1\n"
      "vmin.s8 q0, q0, q2\n"
      "vstrb.8 q0, [%0], #16\n"
      "letp lr, 1b\n"
      "2:"
      : "+l"(y)
      : "r"(n), "r"((int32_t)low), "r"((int32_t)high)
      : "d0", "d1", "d2", "d3", "d4", "d5", "lr", "memory");
#else
  for (; n-- > 0; ++y) *y = (int8_t)tml_clamp(*y, low, high);
#endif
}

/* y = zero + (bias + a * a_multiplier + b * b_multiplier) >> shift, clamped. */
typedef struct tml_mve_add {
  int32_t bias, a_multiplier, b_multiplier;
  uint32_t shift; /* 1 to 30 */
  int8_t zero, low, high;
} tml_mve_add;

/* y may be exactly a or b. */
static TML_NOINLINE void tml_mve_add_row(const tml_mve_add *p, const int8_t *a, const int8_t *b, int8_t *y,
                                         uint32_t n) {
#if TML_MVE_ASM
  const int32x4_t own = vdupq_n_s32(p->a_multiplier), low = vdupq_n_s32(p->low), high = vdupq_n_s32(p->high);
  const int32_t bias = p->bias, other = p->b_multiplier, zero = p->zero, shift = -(int32_t)p->shift;
  __asm__ volatile(
      "wlstp.32 lr, %3, 2f\n"
      "1: vldrb.s32 q0, [%0], #4\n"
      "vldrb.s32 q1, [%1], #4\n"
      "vmlas.s32 q0, %q4, %5\n"
      "vmla.s32 q0, q1, %6\n"
      "vshl.s32 q0, %7\n"
      "vadd.i32 q0, q0, %8\n"
      "vmax.s32 q0, q0, %q9\n"
      "vmin.s32 q0, q0, %q10\n"
      "vstrb.32 q0, [%2], #4\n"
      "letp lr, 1b\n"
      "2:"
      : "+l"(a), "+l"(b), "+l"(y)
      : "r"(n), "w"(own), "r"(bias), "r"(other), "r"(shift), "r"(zero), "w"(low), "w"(high)
      : "d0", "d1", "d2", "d3", "lr", "memory");
#else
  const int8_t *end = a + n;
  while (a != end) {
    const int32_t sum = p->bias + *a++ * p->a_multiplier + *b++ * p->b_multiplier;
    *y++ = (int8_t)tml_clamp((sum >> p->shift) + p->zero, p->low, p->high);
  }
#endif
}

#endif
