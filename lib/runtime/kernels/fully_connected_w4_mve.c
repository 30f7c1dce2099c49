/* fully_connected_w4_mve.c: y[rows][out_features] = x * weights^T + bias of int4 weights for Helium, eight channels at
 * a time: 17 instructions for 128 multiply-accumulates, as many as with int8 weights.
 *
 * operands: x, y, scratch if in_features is no multiple of 16 (each row is copied there, rounded up); y must not
 * overlap x. Bytes hold two channels: 2 * odd + even / 8 + 8, the weights being 8 times an int4. One VMLADAVA takes the
 * byte, one its low nibble; their difference is twice the odd channel's sum, and the sum of x takes the 8 out of the
 * even one's. The stream: blocks of eight channels, each [K / 16][4][16] bytes, then bias[8] and multipliers[8].
 */
#include "mve.h"
#include "nibbles.h"

/* The assembler knows the offsets of the fields: they are 4 bytes each. */
typedef struct dense_mve {
  const int8_t *x;
  const uint32_t *stream;
  int8_t *y;
  uint32_t channels;
  uint32_t steps;
  int32_t sum; /* 64 times that of x */
  int32_t zero;
} dense_mve;

#if TML_MVE_ASM

/* r1: x. r3: channels left. r5: stream. r7: y. r9: where to begin. r11: end of x. q5: 15 in each byte, q6: zero point.
 * On the stack: eight zeros, x, sum. */
TML_MVE_NAKED static void dense_row(__attribute__((unused)) const dense_mve *d) {
  __asm__ volatile(
      ".macro tml_w4_pair low, all\n"
      "vldrb.8 q1, [r5], #16\n"
      "vmladava.s8 \\all, q0, q1\n"
      "vand q1, q1, q5\n"
      "vmladava.s8 \\low, q0, q1\n"
      ".endm\n"
      "push {r4-r11, lr}\n"
      "vpush {d8-d15}\n"
      "sub sp, #40\n"
      "ldrd r1, r5, [r0]\n"
      "ldrd r7, r3, [r0, #8]\n"
      "ldrd r4, r6, [r0, #16]\n"
      "ldr r2, [r0, #24]\n"
      "vdup.16 q6, r2\n"
      "vmov.i8 q5, #15\n"
      "vmov.i32 q0, #0\n"
      "vstrw.32 q0, [sp]\n"
      "vstrw.32 q0, [sp, #16]\n"
      "strd r1, r6, [sp, #32]\n"
      "add r11, r1, r4, lsl #4\n"
      "rsb r4, r4, #0\n"
      "and r4, r4, #7\n"
      "mov r8, #68\n"
      "adr.w r9, 4f\n"
      "mla r9, r4, r8, r9\n"
      "orr r9, r9, #1\n"
      "2: ldm sp, {r0, r2, r4, r6, r8, r10, r12, lr}\n" /* eight channels */
      "bx r9\n"
      ".balign 4\n"
      "4:\n"
      ".rept 8\n"
      "vldrb.8 q0, [r1], #16\n"
      "tml_w4_pair r0, r8\n"
      "tml_w4_pair r2, r10\n"
      "tml_w4_pair r4, r12\n"
      "tml_w4_pair r6, lr\n"
      ".endr\n"
      "cmp r1, r11\n"
      "bne.w 4b\n"
      "vmov q0[2], q0[0], r0, r4\n"
      "vmov q0[3], q0[1], r2, r6\n"
      "vmov q1[2], q1[0], r8, r12\n"
      "vmov q1[3], q1[1], r10, lr\n"
      "ldrd r1, r2, [sp, #32]\n"
      "vsub.i32 q1, q1, q0\n"
      "vld20.32 {q2, q3}, [r5]\n" /* biases of the even channels, of the odd ones */
      "vshl.i32 q0, q0, #3\n"
      "vld21.32 {q2, q3}, [r5]!\n"
      "vsub.i32 q0, q0, r2\n"
      "vshr.s32 q1, q1, #1\n"
      "vadd.i32 q0, q0, q2\n"
      "vadd.i32 q1, q1, q3\n"
      "vld20.32 {q2, q3}, [r5]\n"
      "vld21.32 {q2, q3}, [r5]!\n"
      "vrmulh.s32 q0, q0, q2\n"
      "vrmulh.s32 q1, q1, q3\n"
      "vqmovnb.s32 q0, q0\n"
      "vqmovnt.s32 q0, q1\n"
      "vqadd.s16 q0, q0, q6\n"
      "vqmovnb.s16 q0, q0\n"
      "vctp.16 r3\n"
      "vpst\n"
      "vstrbt.16 q0, [r7], #8\n"
      "subs r3, #8\n"
      "bgt.w 2b\n"
      "add sp, #40\n"
      "vpop {d8-d15}\n"
      "pop {r4-r11, pc}\n"
      ".purgem tml_w4_pair\n");
}

static int32_t sum_of(const int8_t *x, uint32_t steps) {
  int32_t sum = 0;
  __asm__ volatile(
      "dls lr, %2\n"
      "1: vldrb.8 q0, [%1], #16\n"
      "vaddva.s8 %0, q0\n"
      "le lr, 1b\n"
      : "+Te"(sum), "+l"(x)
      : "r"(steps)
      : "d0", "d1", "lr", "memory");
  return sum;
}

#else

static void dense_row(const dense_mve *d) {
  const tml_output output = tml_make_output(0, (int8_t)d->zero, -128, 127);
  uint32_t c, i;
  for (c = 0; c < d->channels; ++c) {
    const uint32_t *block = d->stream + c / 8 * (16 * d->steps + 16), *constants = block + 16 * d->steps;
    const int8_t *w = (const int8_t *)block + c % 8 / 2 * 16;
    int32_t all = 0, low = 0;
    for (i = 0; i < 16 * d->steps; ++i) {
      const int32_t v = w[i / 16 * 64 + i % 16];
      all += d->x[i] * v;
      low += d->x[i] * (v & 15);
    }
    all = c % 2 ? (all - low) >> 1 : 8 * low - d->sum;
    d->y[c] = tml_requantize((int32_t)constants[c % 8] + all, (int32_t)constants[8 + c % 8], output);
  }
}

static int32_t sum_of(const int8_t *x, uint32_t steps) {
  int32_t sum = 0;
  uint32_t i;
  for (i = 0; i < 16 * steps; ++i) sum += x[i];
  return sum;
}

#endif

int tml_fully_connected_w4_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_fully_connected_dsp_params *p = (const tml_fully_connected_dsp_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  const uint32_t depth = (p->in_features + 15u) & ~15u;
  dense_mve d;
  uint32_t row;
  d.stream = p->stream;
  d.channels = p->out_features;
  d.steps = depth / 16;
  d.zero = p->out_zero;
  for (row = 0; row < p->rows; ++row, x += p->in_features, y += p->out_features) {
    d.x = x;
    d.y = y;
    if (depth != p->in_features) {
      int8_t *scratch = tml_operand(context, operands[2]);
      tml_mve_copy(scratch, x, p->in_features);
      tml_mve_fill(scratch + p->in_features, 0, depth - p->in_features);
      d.x = scratch;
    }
    d.sum = 64 * sum_of(d.x, d.steps);
    dense_row(&d);
    if (p->clamp_min > -128 || p->clamp_max < 127) tml_mve_clamp(y, p->out_features, p->clamp_min, p->clamp_max);
  }
  return TML_OK;
}
