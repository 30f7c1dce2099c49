/* dsp_columns.h: what conv2d_s8_dsp.c does around the products: windows to columns, and the residual.
 *
 * Each function has an assembler form, because here the loops are short and gcc spends as much on them as on the work,
 * and the same in plain C. Tested through the kernel.
 */
#ifndef TINYML_KERNELS_DSP_COLUMNS_H
#define TINYML_KERNELS_DSP_COLUMNS_H

#include "dsp_product.h"

/* Where the columns of one call come from: rows of bytes. The assembler knows the order. */
typedef struct tml_dsp_rows {
  const int8_t *x[TML_DSP_COLUMNS];
  uint32_t gap[TML_DSP_COLUMNS]; /* from the end of a row to the next */
} tml_dsp_rows;

/* Short windows that are copied to patches first. The assembler knows the order. */
typedef struct tml_dsp_copy {
  uint32_t words;                   /* of a row; what it writes too much the next row overwrites */
  uint32_t from_gap;                /* from the end of a row's words to the next row */
  uint32_t patch;                   /* bytes from one patch to the next */
  const int8_t *x[TML_DSP_COLUMNS]; /* the windows */
  uint32_t to_gap;                  /* as from_gap, modulo 2^32 */
  uint32_t rows;
} tml_dsp_copy;

/* The second stage of a convolution with a residual. The assembler knows the order. */
typedef struct tml_dsp_add {
  int32_t own, other, bias, shift, zero;
} tml_dsp_add;

#if TML_DSP_ASM
/* Columns of `rows` rows of 4 * words bytes each. */
static TML_NAKED void tml_dsp_expand(TML_UNUSED uint32_t *columns, TML_UNUSED const tml_dsp_rows *from,
                                     TML_UNUSED uint32_t words, TML_UNUSED uint32_t rows) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldm r1!, {r4, r5, r6}\n"
      "1:\n"
      "mov r7, r2\n"
      "2:\n"
      "ldr r8, [r4], #4\n"
      "ldr r9, [r5], #4\n"
      "ldr r10, [r6], #4\n"
      "subs r7, #1\n"
      "sxtb16 r11, r8, ror #8\n"
      "sxtb16 r12, r9, ror #8\n"
      "sxtb16 lr, r10, ror #8\n"
      "sxtb16 r8, r8\n"
      "sxtb16 r9, r9\n"
      "sxtb16 r10, r10\n"
      "stm r0!, {r8-r12, lr}\n"
      "bne 2b\n"
      "ldm r1, {r8, r9, r10}\n"
      "add r4, r8\n"
      "add r5, r9\n"
      "add r6, r10\n"
      "subs r3, #1\n"
      "bne 1b\n"
      "pop {r4-r11, pc}\n");
}
/* Three windows to three patches, whole words at a time. */
static TML_NAKED void tml_dsp_copy_rows(TML_UNUSED int8_t *to, TML_UNUSED const tml_dsp_copy *copy) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldm r1, {r1-r6, r11, r12}\n"
      "1:\n"
      "mov r10, r1\n"
      "2:\n"
      "ldr r7, [r4], #4\n"
      "ldr r8, [r5], #4\n"
      "ldr r9, [r6], #4\n"
      "subs r10, #1\n"
      "str r8, [r0, r3]\n"
      "str r9, [r0, r3, lsl #1]\n"
      "str r7, [r0], #4\n"
      "bne 2b\n"
      "add r4, r2\n"
      "add r5, r2\n"
      "add r6, r2\n"
      "add r0, r11\n"
      "subs r12, #1\n"
      "bne 1b\n"
      "pop {r4-r11, pc}\n");
}

#define TML_DSP_ADD_ONE   \
  "ldrsb r9, [r1], #1\n"  \
  "ldrsb r10, [r2], #1\n" \
  "mla r9, r9, r4, r6\n"  \
  "mla r9, r10, r5, r9\n" \
  "asr.w r9, r9, r7\n"    \
  "add.w r9, r9, r8\n"    \
  "ssat r9, #8, r9\n"     \
  "strb r9, [r0], #1\n"

/* y = saturated zero + (bias + x * own + residual * other) >> shift, up to `end`; 32 bytes of code an element. */
static TML_NAKED void tml_dsp_add_residual(TML_UNUSED int8_t *y, TML_UNUSED const int8_t *x,
                                           TML_UNUSED const int8_t *residual, TML_UNUSED uint32_t n,
                                           TML_UNUSED const tml_dsp_add *add) {
  __asm__ volatile(
      "ldr r12, [sp]\n"
      "push {r4-r11, lr}\n"
      "ldm r12, {r4-r8}\n"
      "add lr, r0, r3\n"
      "rsb r3, r3, #0\n"
      "and r3, r3, #3\n"
      "adr r9, 1f\n"
      "add r9, r9, r3, lsl #5\n"
      "adds r9, #1\n" /* the bit that says Thumb */
      "bx r9\n"
      ".balign 4\n"
      "1:\n" TML_DSP_ADD_ONE TML_DSP_ADD_ONE TML_DSP_ADD_ONE TML_DSP_ADD_ONE
      "cmp r0, lr\n"
      "bne 1b\n"
      "pop {r4-r11, pc}\n");
}
#else
static TML_NOINLINE void tml_dsp_expand(uint32_t *columns, const tml_dsp_rows *from, uint32_t words, uint32_t rows) {
  uint32_t row, i, c;
  for (row = 0; row < rows; ++row) {
    for (i = 0; i < words; ++i, columns += 2 * TML_DSP_COLUMNS) {
      for (c = 0; c < TML_DSP_COLUMNS; ++c) {
        const uint32_t bytes = tml_load4(from->x[c] + row * (4 * words + from->gap[c]) + 4 * i);
        columns[c] = tml_sxtb16(bytes);
        columns[c + TML_DSP_COLUMNS] = tml_sxtb16_ror8(bytes);
      }
    }
  }
}

static inline void tml_dsp_copy_rows(int8_t *to, const tml_dsp_copy *copy) {
  const uint32_t bytes = 4 * copy->words;
  uint32_t row, i;
  for (row = 0; row < copy->rows; ++row, to += bytes + copy->to_gap) {
    for (i = 0; i < TML_DSP_COLUMNS; ++i) {
      memcpy(to + i * copy->patch, copy->x[i] + row * (bytes + copy->from_gap), bytes);
    }
  }
}

static inline void tml_dsp_add_residual(int8_t *y, const int8_t *x, const int8_t *residual, uint32_t n,
                                        const tml_dsp_add *add) {
  uint32_t i;
  for (i = 0; i < n; ++i) {
    const int32_t sum = (add->bias + x[i] * add->own + residual[i] * add->other) >> add->shift;
    y[i] = (int8_t)tml_clamp(sum + add->zero, -128, 127);
  }
}
#endif

#endif
