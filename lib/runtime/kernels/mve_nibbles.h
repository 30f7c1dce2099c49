/* mve_nibbles.h: codes of nibbles.h to int8 with Helium, 32 weights in 10 instructions; the codebook by gathering. The
 * same in plain C for every other core.
 */
#ifndef TINYML_KERNELS_MVE_NIBBLES_H
#define TINYML_KERNELS_MVE_NIBBLES_H

#include "mve.h"
#include "nibbles.h"

/* Code words, a multiple of 4, to twice as many words of four weights. */
static TML_NOINLINE void tml_mve_decode(const int8_t *table, const uint8_t *codes, uint32_t *to, uint32_t words) {
#if TML_MVE_ASM
  if (table) {
    __asm__ volatile(
        "vmov.i8 q2, #15\n"
        "dls lr, %2\n"
        "1: vldrb.8 q0, [%0], #16\n"
        "vshr.u8 q1, q0, #4\n"
        "vand q0, q0, q2\n"
        "vldrb.u8 q3, [%3, q0]\n"
        "vldrb.u8 q4, [%3, q1]\n"
        "vst20.32 {q3, q4}, [%1]\n"
        "vst21.32 {q3, q4}, [%1]!\n"
        "le lr, 1b\n"
        : "+l"(codes), "+l"(to)
        : "r"(words / 4), "r"(table)
        : "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "lr", "memory");
  } else {
    __asm__ volatile(
        "vmov.i8 q2, #15\n"
        "vmov.i8 q3, #128\n"
        "dls lr, %2\n"
        "1: vldrb.8 q0, [%0], #16\n"
        "vbic q1, q0, q2\n"
        "vshl.i8 q0, q0, #4\n"
        "veor q1, q1, q3\n"
        "veor q0, q0, q3\n"
        "vshr.s8 q1, q1, #1\n"
        "vshr.s8 q0, q0, #1\n"
        "vst20.32 {q0, q1}, [%1]\n"
        "vst21.32 {q0, q1}, [%1]!\n"
        "le lr, 1b\n"
        : "+l"(codes), "+l"(to)
        : "r"(words / 4)
        : "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "lr", "memory");
  }
#else
  tml_nibbles_decode(table, codes, (int8_t *)to, 8 * words);
#endif
}

#endif
