/* depthwise3x3_stride2_dsp.h: one channel of a 3x3 depthwise convolution, stride 2, for depthwise_dsp.h and
 * depthwise_s16_dsp.h.
 *
 * Four outputs of a row at a time: each needs three words of two rows (SMLAD) and the upper half of the three below.
 * 57 instructions per 4 outputs; the rest of a row one by one at 23.
 */
#ifndef TINYML_KERNELS_DEPTHWISE3X3_STRIDE2_DSP_H
#define TINYML_KERNELS_DEPTHWISE3X3_STRIDE2_DSP_H

#include "depthwise_dsp.h"

#if TML_DSP_ASM
/* r0 to r2: taps (0, 1) of columns 0 to 2; r3, r4: tap 2 of columns (1, 0) and 2; r5 to r8: sums; r9, r10: inputs, then
 * operands of the way out; r11: pitch; r12: input; lr: output. Stack: bytes of a row's fours and of the row, their
 * ends, then the job's copy. */
/* saturate(register) and store are the instructions of the output's type. */
#define TML_DEPTHWISE3X3_STRIDE2_DSP(name, saturate, store)                                     \
  TML_NAKED static void name(const tml_depthwise_channel *job TML_UNUSED) {                     \
    __asm__ volatile(                                                                           \
        ".syntax unified\n"                                                                     \
        "push {r4-r11, lr}\n"                                                                   \
        "ldm r0, {r1-r11}\n"                                                                    \
        "mul r12, r10, r4\n"                                                                    \
        "bic r10, r10, #3\n"                                                                    \
        "push {r1-r11}\n"                                                                       \
        "mul r10, r10, r4\n"                                                                    \
        "sub sp, #16\n"                                                                         \
        "strd r10, r12, [sp]\n"                                                                 \
        "ldr r0, [r11]\n"                                                                       \
        "ldr r2, [r11, #4]\n"                                                                   \
        "ldrsb r4, [r11, #8]\n"                                                                 \
        "sxtb16 r1, r0, ror #8\n"                                                               \
        "sxtb16 r0, r0\n"                                                                       \
        "sxtb16 r3, r2, ror #8\n"                                                               \
        "sxtb16 r2, r2\n"                                                                       \
        "1:\n"                                                                                  \
        "ldrd r12, r11, [sp, #36]\n"                                                            \
        "ldr lr, [sp, #44]\n"                                                                   \
        "add r9, r12, r11\n"                                                                    \
        "str r9, [sp, #36]\n"                                                                   \
        "ldrd r9, r10, [sp]\n"                                                                  \
        "add r9, r9, lr\n"                                                                      \
        "add r10, r10, lr\n"                                                                    \
        "strd r9, r10, [sp, #8]\n"                                                              \
        "cmp lr, r9\n"                                                                          \
        "beq.w 3f\n"                                                                            \
        "2:\n"                                                                                  \
        "ldr r8, [sp, #16]\n"                                                                   \
        "ldrd r9, r10, [r12]\n"                                                                 \
        "smlad r5, r9, r0, r8\n"                                                                \
        "smlad r5, r10, r1, r5\n"                                                               \
        "ldrd r9, r10, [r12, #32]\n"                                                            \
        "smlad r5, r9, r2, r5\n"                                                                \
        "smlad r6, r9, r0, r8\n"                                                                \
        "smlad r6, r10, r1, r6\n"                                                               \
        "ldrd r9, r10, [r12, #64]\n"                                                            \
        "smlad r6, r9, r2, r6\n"                                                                \
        "smlad r7, r9, r0, r8\n"                                                                \
        "smlad r7, r10, r1, r7\n"                                                               \
        "ldrd r9, r10, [r12, #96]\n"                                                            \
        "smlad r7, r9, r2, r7\n"                                                                \
        "smlad r8, r9, r0, r8\n"                                                                \
        "smlad r8, r10, r1, r8\n"                                                               \
        "ldr r9, [r12, #128]\n"                                                                 \
        "smlad r8, r9, r2, r8\n"                                                                \
        "add r12, r12, r11\n"                                                                   \
        "ldrd r9, r10, [r12]\n"                                                                 \
        "smlabt r5, r9, r3, r5\n"                                                               \
        "smlabb r5, r10, r3, r5\n"                                                              \
        "ldrd r9, r10, [r12, #32]\n"                                                            \
        "smlabb r5, r9, r4, r5\n"                                                               \
        "smlabt r6, r9, r3, r6\n"                                                               \
        "smlabb r6, r10, r3, r6\n"                                                              \
        "ldrd r9, r10, [r12, #64]\n"                                                            \
        "smlabb r6, r9, r4, r6\n"                                                               \
        "smlabt r7, r9, r3, r7\n"                                                               \
        "smlabb r7, r10, r3, r7\n"                                                              \
        "ldrd r9, r10, [r12, #96]\n"                                                            \
        "smlabb r7, r9, r4, r7\n"                                                               \
        "smlabt r8, r9, r3, r8\n"                                                               \
        "smlabb r8, r10, r3, r8\n"                                                              \
        "ldr r9, [r12, #128]\n"                                                                 \
        "smlabb r8, r9, r4, r8\n"                                                               \
        "sub r12, r12, r11\n"                                                                   \
        "add r12, r12, #128\n"                                                                  \
        "ldrd r9, r10, [sp, #20]\n"                                                             \
        "smmlar r5, r5, r9, r10\n"                                                              \
        "smmlar r6, r6, r9, r10\n"                                                              \
        "smmlar r7, r7, r9, r10\n"                                                              \
        "smmlar r8, r8, r9, r10\n"                                                              \
        "ldr r9, [sp, #28]\n" saturate("r5") saturate("r6") saturate("r7") saturate("r8") store \
        " r5, [lr]\n" store                                                                     \
        " r6, [lr, r9]\n"                                                                       \
        "add lr, lr, r9, lsl #1\n" store " r7, [lr]\n" store                                    \
        " r8, [lr, r9]\n"                                                                       \
        "ldr r10, [sp, #8]\n"                                                                   \
        "add lr, lr, r9, lsl #1\n"                                                              \
        "cmp lr, r10\n"                                                                         \
        "bne 2b\n"                                                                              \
        "3:\n"                                                                                  \
        "ldr r10, [sp, #12]\n"                                                                  \
        "cmp lr, r10\n"                                                                         \
        "beq 5f\n"                                                                              \
        "4:\n"                                                                                  \
        "ldr r5, [sp, #16]\n"                                                                   \
        "ldrd r9, r10, [r12]\n"                                                                 \
        "ldr r8, [r12, #32]\n"                                                                  \
        "smlad r5, r9, r0, r5\n"                                                                \
        "smlad r5, r10, r1, r5\n"                                                               \
        "smlad r5, r8, r2, r5\n"                                                                \
        "add r12, r12, r11\n"                                                                   \
        "ldrd r9, r10, [r12]\n"                                                                 \
        "ldr r8, [r12, #32]\n"                                                                  \
        "smlabt r5, r9, r3, r5\n"                                                               \
        "smlabb r5, r10, r3, r5\n"                                                              \
        "smlabb r5, r8, r4, r5\n"                                                               \
        "sub r12, r12, r11\n"                                                                   \
        "add r12, r12, #32\n"                                                                   \
        "ldrd r9, r10, [sp, #20]\n"                                                             \
        "smmlar r5, r5, r9, r10\n"                                                              \
        "ldr r9, [sp, #28]\n" saturate("r5") store                                              \
        " r5, [lr]\n"                                                                           \
        "ldr r10, [sp, #12]\n"                                                                  \
        "add lr, lr, r9\n"                                                                      \
        "cmp lr, r10\n"                                                                         \
        "bne 4b\n"                                                                              \
        "5:\n"                                                                                  \
        "ldrd r5, r6, [sp, #44]\n"                                                              \
        "ldr r7, [sp, #32]\n"                                                                   \
        "subs r6, r6, #1\n"                                                                     \
        "add r5, r5, r7\n"                                                                      \
        "strd r5, r6, [sp, #44]\n"                                                              \
        "bne.w 1b\n"                                                                            \
        "add sp, #60\n"                                                                         \
        "pop {r4-r11, pc}\n");                                                                  \
  }
#endif

#endif
