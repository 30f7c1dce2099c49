/* dsp.h: what the kernels for cores with the DSP extension (Cortex-M4, M7, M33) share: the instructions that C lacks,
 * and the same in plain C for every other core, for the host simulation and for compilers without GNU assembler.
 */
#ifndef TINYML_KERNELS_DSP_H
#define TINYML_KERNELS_DSP_H

#include <string.h>

#include "../tml_internal.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && defined(__thumb2__)
#define TML_DSP_ASM 1
#define TML_UNUSED __attribute__((unused))
#if defined(__clang__)
#define TML_NAKED __attribute__((naked, noinline, unused))
#else /* gcc would conclude from the empty body that no register changes and no parameter is needed */
#define TML_NAKED __attribute__((naked, noipa, unused))
#endif
#else
#define TML_DSP_ASM 0
#endif

static inline uint32_t tml_load4(const int8_t *x) {
  uint32_t word;
  memcpy(&word, x, sizeof word);
  return word;
}

static inline void tml_store4(int8_t *y, uint32_t word) { memcpy(y, &word, sizeof word); }

/* PKHBT, PKHTB: the low (high) halves of a and b, a's below. */
static inline uint32_t tml_pack_low(uint32_t a, uint32_t b) { return (a & 0xFFFFu) | b << 16; }
static inline uint32_t tml_pack_high(uint32_t a, uint32_t b) { return a >> 16 | (b & 0xFFFF0000u); }

/* SXTB16: bytes 0 and 2 as two int16; after ROR #8, bytes 1 and 3. */
static inline uint32_t tml_sxtb16(uint32_t x) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("sxtb16 %0, %1" : "=r"(y) : "r"(x));
  return y;
#else
  return ((uint32_t)(int8_t)x & 0xFFFFu) | (uint32_t)(int8_t)(x >> 16) << 16;
#endif
}

static inline uint32_t tml_sxtb16_ror8(uint32_t x) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
  return y;
#else
  return tml_sxtb16(x >> 8);
#endif
}

/* SMLAD: acc + both products of the halves, modulo 2^32. */
static inline uint32_t tml_smlad(uint32_t a, uint32_t b, uint32_t acc) {
#if TML_DSP_ASM
  __asm__("smlad %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b));
  return acc;
#else
  const int32_t low = (int16_t)(a & 0xFFFFu) * (int16_t)(b & 0xFFFFu), high = (int16_t)(a >> 16) * (int16_t)(b >> 16);
  return acc + (uint32_t)low + (uint32_t)high;
#endif
}

/* SXTAB16: the halves of `sums` plus bytes 0 and 2; after ROR #8, plus bytes 1 and 3. */
static inline uint32_t tml_sxtab16(uint32_t sums, uint32_t x) {
#if TML_DSP_ASM
  __asm__("sxtab16 %0, %0, %1" : "+r"(sums) : "r"(x));
  return sums;
#else
  const uint32_t bytes = tml_sxtb16(x);
  return ((sums + bytes) & 0xFFFFu) | ((sums >> 16) + (bytes >> 16)) << 16;
#endif
}

static inline uint32_t tml_sxtab16_ror8(uint32_t sums, uint32_t x) {
#if TML_DSP_ASM
  __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(sums) : "r"(x));
  return sums;
#else
  return tml_sxtab16(sums, x >> 8);
#endif
}

/* SADD16, SSUB16: sums and differences of the halves, each modulo 2^16. */
static inline uint32_t tml_sadd16(uint32_t a, uint32_t b) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("sadd16 %0, %1, %2" : "=r"(y) : "r"(a), "r"(b));
  return y;
#else
  return ((a + b) & 0xFFFFu) | ((a >> 16) + (b >> 16)) << 16;
#endif
}

static inline uint32_t tml_ssub16(uint32_t a, uint32_t b) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("ssub16 %0, %1, %2" : "=r"(y) : "r"(a), "r"(b));
  return y;
#else
  return ((a - b) & 0xFFFFu) | ((a >> 16) - (b >> 16)) << 16;
#endif
}

/* The larger (smaller) of each of four int8: SSUB8 sets the flags by which SEL selects. */
static inline uint32_t tml_max4(uint32_t a, uint32_t b) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("ssub8 %0, %1, %2\n sel %0, %1, %2" : "=&r"(y) : "r"(a), "r"(b));
  return y;
#else
  uint32_t y = 0, shift;
  for (shift = 0; shift < 32; shift += 8) {
    y |= ((int8_t)(a >> shift) > (int8_t)(b >> shift) ? a : b) & (uint32_t)0xFF << shift;
  }
  return y;
#endif
}

static inline uint32_t tml_min4(uint32_t a, uint32_t b) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("ssub8 %0, %1, %2\n sel %0, %2, %1" : "=&r"(y) : "r"(a), "r"(b));
  return y;
#else
  return ~tml_max4(~a, ~b);
#endif
}

/* SMMLA, SSAT: floor(a * b / 2^32) + add in units of 2^8, to int8. */
static inline int32_t tml_product_to_int8(int32_t a, int32_t b, int32_t add) {
#if TML_DSP_ASM
  int32_t y;
  __asm__("smmla %0, %1, %2, %3\n ssat %0, #8, %0, asr #8" : "=r"(y) : "r"(a), "r"(b), "r"(add));
  return y;
#else
  return tml_saturate8((add + (int32_t)((int64_t)a * b >> 32)) >> 8);
#endif
}

/* USUB8: differences of bytes, each modulo 2^8. */
static inline uint32_t tml_sub4(uint32_t a, uint32_t b) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("usub8 %0, %1, %2" : "=r"(y) : "r"(a), "r"(b));
  return y;
#else
  return ((a | 0x80808080u) - (b & 0x7F7F7F7Fu)) ^ ((a ^ ~b) & 0x80808080u);
#endif
}

/* The smaller of each of four uint8. */
static inline uint32_t tml_min4_unsigned(uint32_t a, uint32_t b) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("usub8 %0, %1, %2\n sel %0, %2, %1" : "=&r"(y) : "r"(a), "r"(b));
  return y;
#else
  return tml_min4(a ^ 0x80808080u, b ^ 0x80808080u) ^ 0x80808080u;
#endif
}

/* CLZ: zeros above the highest bit that is set. */
static inline uint32_t tml_leading_zeros(uint32_t x) {
#if TML_DSP_ASM
  uint32_t y;
  __asm__("clz %0, %1" : "=r"(y) : "r"(x));
  return y;
#else
  uint32_t zeros = 32;
  for (; x != 0; x >>= 1) --zeros;
  return zeros;
#endif
}

#endif
