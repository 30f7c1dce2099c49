/* dot_thumb2.h: the inner loops of dot.h for Cortex-M3 and up by hand, because gcc 12 spends 3.0 rather than 2.3
 * instructions per multiply-accumulate on two pixels times two channels of 64 inputs. Any Thumb-2 core runs them; other
 * cores and compilers take the plain C beside each call, with the same results.
 */
#ifndef TINYML_KERNELS_DOT_THUMB2_H
#define TINYML_KERNELS_DOT_THUMB2_H

#include "../tml_internal.h"

#if defined(__thumb2__) && defined(__GNUC__)
#define TML_THUMB2_ASM 1
#if defined(__clang__)
#define TML_THUMB2_NAKED __attribute__((naked, noinline, unused))
#else /* gcc would conclude from the empty body that no register changes and no parameter is needed */
#define TML_THUMB2_NAKED __attribute__((naked, noipa, unused))
#endif

/* The assembler saturates to int8; a narrower clamp follows. */
static TML_NOINLINE void tml_clamp_more(const tml_output *output, int8_t *y, uint32_t n) {
  const int32_t low = output->low + output->zero, high = output->high + output->zero;
  if (low == INT8_MIN && high == INT8_MAX) return;
  for (; n > 0; --n, ++y) *y = (int8_t)tml_clamp(*y, low, high);
}

/* Two pixels by `y0_end - y0` channels, an even number of them. The assembler knows the order of the fields and moves
 * bias, multipliers, y0 and y1 on. */
typedef struct tml_dot_pairs {
  const int8_t *x0, *x1;
  uint32_t runs, run, gap;
  uint32_t runs_left;
  const int8_t *line0, *line1;
  const int32_t *bias, *multipliers;
  uint32_t multiplier_bytes; /* from one multiplier to the next: 4 or 0 */
  int32_t zero;
  int8_t *y0, *y1;
  const int8_t *y0_end;
  uint32_t stride;
  const int8_t *weights;
} tml_dot_pairs;

#define TML_DOT_PAIR                                                                      \
  "ldrsb r8, [r0], #1\n ldrsb r10, [r2], #1\n ldrsb r9, [r1], #1\n ldrsb r11, [r3], #1\n" \
  "mla r4, r8, r10, r4\n mla r5, r9, r10, r5\n mla r6, r8, r11, r6\n mla r7, r9, r11, r7\n"

#define TML_DOT_PAIR_OUT(sum, multiplier, y)       \
  "smull r8, r9, " sum ", " multiplier             \
  "\n add r9, r9, r8, lsr #31\n add r9, r9, r12\n" \
  "ssat r9, #8, r9\n strb r9, [" y "], #1\n"

/* r0, r1: inputs; r2, r3: weights; r4 to r7: sums; r8 to r11: operands; r12: inputs left; lr: the job. */
TML_THUMB2_NAKED static void tml_dot_pairs_run(tml_dot_pairs *job __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified\n"
      "push {r4-r11, lr}\n"
      "mov lr, r0\n"
      "ldr r2, [lr, #64]\n"
      "1:\n"
      "ldr r3, [lr, #60]\n"
      "add r3, r3, r2\n"
      "ldr r8, [lr, #32]\n"
      "ldrd r4, r6, [r8], #8\n"
      "str r8, [lr, #32]\n"
      "mov r5, r4\n"
      "mov r7, r6\n"
      "ldrd r0, r1, [lr]\n"
      "ldr r8, [lr, #8]\n"
      "str r8, [lr, #20]\n"
      "2:\n"
      "ldr r12, [lr, #12]\n"
      "strd r0, r1, [lr, #24]\n"
      "subs r12, #8\n"
      "blt 4f\n"
      "3:\n" TML_DOT_PAIR TML_DOT_PAIR TML_DOT_PAIR TML_DOT_PAIR TML_DOT_PAIR TML_DOT_PAIR TML_DOT_PAIR TML_DOT_PAIR
      "subs r12, #8\n"
      "bge.w 3b\n"
      "4:\n"
      "adds r12, #8\n"
      "beq 6f\n"
      "5:\n" TML_DOT_PAIR
      "subs r12, #1\n"
      "bne 5b\n"
      "6:\n"
      "ldr r8, [lr, #20]\n"
      "subs r8, #1\n"
      "beq 7f\n"
      "str r8, [lr, #20]\n"
      "ldrd r0, r1, [lr, #24]\n"
      "ldr r9, [lr, #16]\n"
      "add r0, r0, r9\n"
      "add r1, r1, r9\n"
      "b 2b\n"
      "7:\n"
      "ldrd r8, r9, [lr, #36]\n"
      "ldr r10, [r8]\n"
      "ldr r11, [r8, r9]\n"
      "add r8, r8, r9, lsl #1\n"
      "str r8, [lr, #36]\n"
      "ldrd r12, r0, [lr, #44]\n"
      "ldr r1, [lr, #52]\n" TML_DOT_PAIR_OUT("r4", "r10", "r0") TML_DOT_PAIR_OUT("r5", "r10", "r1")
          TML_DOT_PAIR_OUT("r6", "r11", "r0") TML_DOT_PAIR_OUT("r7", "r11", "r1")
      "strd r0, r1, [lr, #48]\n"
      "ldr r8, [lr, #56]\n"
      "mov r2, r3\n"
      "cmp r0, r8\n"
      "bne.w 1b\n"
      "pop {r4-r11, pc}\n");
}

/* acc[r] += x . w_r over n inputs, n > 0. */
static inline void tml_dot_rows_thumb2(const int8_t *x, const int8_t *const w[4], uint32_t n, int32_t *acc) {
  const int8_t *w0 = w[0], *w1 = w[1], *w2 = w[2], *w3 = w[3];
  int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3], v, u;
#define TML_DOT_ROW                                                                   \
  "ldrsb %[v], [%[x]], #1\n ldrsb %[u], [%[w0]], #1\n mla %[a0], %[v], %[u], %[a0]\n" \
  "ldrsb %[u], [%[w1]], #1\n mla %[a1], %[v], %[u], %[a1]\n"                          \
  "ldrsb %[u], [%[w2]], #1\n mla %[a2], %[v], %[u], %[a2]\n"                          \
  "ldrsb %[u], [%[w3]], #1\n mla %[a3], %[v], %[u], %[a3]\n"
  __asm__ volatile(
      ".syntax unified\n"
      "subs %[n], #4\n"
      "blt 2f\n"
      "1:\n" TML_DOT_ROW TML_DOT_ROW TML_DOT_ROW TML_DOT_ROW
      "subs %[n], #4\n"
      "bge 1b\n"
      "2:\n"
      "adds %[n], #4\n"
      "beq 4f\n"
      "3:\n" TML_DOT_ROW
      "subs %[n], #1\n"
      "bne 3b\n"
      "4:\n"
      : [x] "+r"(x), [w0] "+r"(w0), [w1] "+r"(w1), [w2] "+r"(w2), [w3] "+r"(w3), [a0] "+r"(a0), [a1] "+r"(a1),
        [a2] "+r"(a2), [a3] "+r"(a3), [n] "+r"(n), [v] "=&r"(v), [u] "=&r"(u)
      :
      : "cc", "memory");
  acc[0] = a0;
  acc[1] = a1;
  acc[2] = a2;
  acc[3] = a3;
}
#else
#define TML_THUMB2_ASM 0
#endif

#endif
