/* depthwise3x3_dsp.h: one channel of a 3x3 depthwise convolution, stride 1, for depthwise_dsp.h and
 * depthwise_s16_dsp.h.
 *
 * Two rows by two columns of outputs at a time: 24 SMLAD-like instructions for 36 multiply-accumulates, four LDRD for
 * the inputs. Six words hold the weights: taps (0, 1) and (1, 2) of each column. 52 instructions per 4 outputs; the
 * last column of an odd width is a tail of 27 per 2. A single last row is computed as a pair whose second row is stored
 * first and then overwritten.
 */
#ifndef TINYML_KERNELS_DEPTHWISE3X3_DSP_H
#define TINYML_KERNELS_DEPTHWISE3X3_DSP_H

#include "depthwise_dsp.h"

#if TML_DSP_ASM
/* r0, r2, r4: taps (0, 1) of columns 0 to 2; r1, r3, r5: taps (1, 2); r6 to r9: sums; r10, r11: inputs, then operands
 * of the way out; r12: input; lr: output. Stack: upper and lower pair of rows, end of the row's pairs, their bytes,
 * then the job's copy. */
/* saturate(register) and store are the instructions of the output's type. */
#define TML_DEPTHWISE3X3_DSP(name, saturate, store)                                                              \
  TML_NAKED static void name(const tml_depthwise_channel *job TML_UNUSED) {                                      \
    __asm__ volatile(                                                                                            \
        ".syntax unified\n"                                                                                      \
        "push {r4-r11, lr}\n"                                                                                    \
        "ldm r0, {r1-r11}\n"                                                                                     \
        "bic r12, r10, #1\n"                                                                                     \
        "mul r12, r12, r4\n"                                                                                     \
        "push {r1-r11}\n"                                                                                        \
        "sub sp, #16\n"                                                                                          \
        "str r12, [sp, #12]\n"                                                                                   \
        "ldr r0, [r11]\n"                                                                                        \
        "ldr r4, [r11, #4]\n"                                                                                    \
        "ldrsb r5, [r11, #8]\n"                                                                                  \
        "sxtb16 r2, r0, ror #8\n"                                                                                \
        "sxtb16 r0, r0\n"                                                                                        \
        "sxtb16 r1, r4, ror #8\n"                                                                                \
        "sxtb16 r3, r4, ror #24\n"                                                                               \
        "sxtb16 r4, r4\n"                                                                                        \
        "lsl r5, r5, #16\n"                                                                                      \
        "pkhtb r1, r1, r0, asr #16\n"                                                                            \
        "pkhtb r3, r3, r2, asr #16\n"                                                                            \
        "pkhtb r5, r5, r4, asr #16\n"                                                                            \
        "1:\n"                                                                                                   \
        "ldrd r10, r11, [sp, #36]\n"                                                                             \
        "add r6, r10, r11\n"                                                                                     \
        "strd r10, r6, [sp]\n"                                                                                   \
        "str r6, [sp, #36]\n"                                                                                    \
        "ldr lr, [sp, #44]\n"                                                                                    \
        "ldr r7, [sp, #12]\n"                                                                                    \
        "adds r6, lr, r7\n"                                                                                      \
        "str r6, [sp, #8]\n"                                                                                     \
        "cmp lr, r6\n"                                                                                           \
        "beq.w 3f\n"                                                                                             \
        "2:\n"                                                                                                   \
        "ldr r12, [sp]\n"                                                                                        \
        "ldr r9, [sp, #16]\n"                                                                                    \
        "ldrd r10, r11, [r12], #32\n"                                                                            \
        "smlad r6, r10, r0, r9\n"                                                                                \
        "smlatb r8, r10, r0, r9\n"                                                                               \
        "smlad r6, r11, r2, r6\n"                                                                                \
        "smlatb r8, r11, r2, r8\n"                                                                               \
        "smlad r7, r11, r0, r9\n"                                                                                \
        "smlatb r9, r11, r0, r9\n"                                                                               \
        "ldrd r10, r11, [r12]\n"                                                                                 \
        "smlad r6, r10, r4, r6\n"                                                                                \
        "smlatb r8, r10, r4, r8\n"                                                                               \
        "smlad r7, r10, r2, r7\n"                                                                                \
        "smlatb r9, r10, r2, r9\n"                                                                               \
        "smlad r7, r11, r4, r7\n"                                                                                \
        "smlatb r9, r11, r4, r9\n"                                                                               \
        "str r12, [sp]\n"                                                                                        \
        "ldr r12, [sp, #4]\n"                                                                                    \
        "ldrd r10, r11, [r12], #32\n"                                                                            \
        "smlabt r6, r10, r1, r6\n"                                                                               \
        "smlad r8, r10, r1, r8\n"                                                                                \
        "smlabt r6, r11, r3, r6\n"                                                                               \
        "smlad r8, r11, r3, r8\n"                                                                                \
        "smlabt r7, r11, r1, r7\n"                                                                               \
        "smlad r9, r11, r1, r9\n"                                                                                \
        "ldrd r10, r11, [r12]\n"                                                                                 \
        "smlabt r6, r10, r5, r6\n"                                                                               \
        "smlad r8, r10, r5, r8\n"                                                                                \
        "smlabt r7, r10, r3, r7\n"                                                                               \
        "smlad r9, r10, r3, r9\n"                                                                                \
        "smlabt r7, r11, r5, r7\n"                                                                               \
        "smlad r9, r11, r5, r9\n"                                                                                \
        "str r12, [sp, #4]\n"                                                                                    \
        "ldrd r10, r11, [sp, #20]\n"                                                                             \
        "smmlar r6, r6, r10, r11\n"                                                                              \
        "smmlar r7, r7, r10, r11\n"                                                                              \
        "smmlar r8, r8, r10, r11\n"                                                                              \
        "smmlar r9, r9, r10, r11\n"                                                                              \
        "ldrd r10, r11, [sp, #28]\n" saturate("r6") saturate("r7") saturate("r8")                                \
            saturate("r9") "add r12, lr, r11\n" store " r8, [r12]\n" store " r9, [r12, r10]\n" store             \
                           " r6, [lr]\n" store                                                                   \
                           " r7, [lr, r10]\n"                                                                    \
                           "ldr r12, [sp, #8]\n"                                                                 \
                           "add lr, lr, r10, lsl #1\n"                                                           \
                           "cmp lr, r12\n"                                                                       \
                           "bne 2b\n"                                                                            \
                           "3:\n"                                                                                \
                           "ldr r6, [sp, #52]\n"                                                                 \
                           "lsls r6, r6, #31\n"                                                                  \
                           "beq.w 4f\n"                                                                          \
                           "ldr r12, [sp]\n"                                                                     \
                           "ldr r8, [sp, #16]\n"                                                                 \
                           "ldrd r10, r11, [r12]\n"                                                              \
                           "ldr r9, [r12, #32]\n"                                                                \
                           "smlad r6, r10, r0, r8\n"                                                             \
                           "smlatb r8, r10, r0, r8\n"                                                            \
                           "smlad r6, r11, r2, r6\n"                                                             \
                           "smlatb r8, r11, r2, r8\n"                                                            \
                           "smlad r6, r9, r4, r6\n"                                                              \
                           "smlatb r8, r9, r4, r8\n"                                                             \
                           "ldr r12, [sp, #4]\n"                                                                 \
                           "ldrd r10, r11, [r12]\n"                                                              \
                           "ldr r9, [r12, #32]\n"                                                                \
                           "smlabt r6, r10, r1, r6\n"                                                            \
                           "smlad r8, r10, r1, r8\n"                                                             \
                           "smlabt r6, r11, r3, r6\n"                                                            \
                           "smlad r8, r11, r3, r8\n"                                                             \
                           "smlabt r6, r9, r5, r6\n"                                                             \
                           "smlad r8, r9, r5, r8\n"                                                              \
                           "ldrd r10, r11, [sp, #20]\n"                                                          \
                           "smmlar r6, r6, r10, r11\n"                                                           \
                           "smmlar r8, r8, r10, r11\n"                                                           \
                           "ldr r11, [sp, #32]\n" saturate("r6") saturate("r8") store " r8, [lr, r11]\n" store   \
                                                                                      " r6, [lr]\n"              \
                                                                                      "4:\n"                     \
                                                                                      "ldr r6, [sp, #48]\n"      \
                                                                                      "ldr r7, [sp, #44]\n"      \
                                                                                      "ldr r8, [sp, #32]\n"      \
                                                                                      "subs r6, r6, #2\n"        \
                                                                                      "str r6, [sp, #48]\n"      \
                                                                                      "add r7, r7, r8, lsl #1\n" \
                                                                                      "str r7, [sp, #44]\n"      \
                                                                                      "ble 5f\n"                 \
                                                                                      "cmp r6, #1\n"             \
                                                                                      "bne.w 1b\n"               \
                                                                                      "mov r8, #0\n"             \
                                                                                      "str r8, [sp, #32]\n"      \
                                                                                      "b.w 1b\n"                 \
                                                                                      "5:\n"                     \
                                                                                      "add sp, #60\n"            \
                                                                                      "pop {r4-r11, pc}\n");     \
  }
#endif

#endif
