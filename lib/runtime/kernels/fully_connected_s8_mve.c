/* fully_connected_s8_mve.c: y[rows][out_features] = x[rows][in_features] * weights^T + bias for Helium, eight channels
 * at a time: 17 instructions for 128 multiply-accumulates.
 *
 * operands: x, y, scratch if in_features is no multiple of 8 (each row is copied there, rounded up). The constants are
 * laid out as mve_product.h says, but with eight channels to a block: bias[8], [8][8] weights of the first 8 taps only
 * if in_features rounded up is an odd multiple of 8, [steps][8][16] weights, multipliers[8].
 */
#include "mve.h"

/* The assembler knows the offsets of the fields: they are 4 bytes each. */
typedef struct dense_mve {
  const int8_t *x;
  const uint32_t *stream;
  int8_t *y;
  uint32_t channels;
  uint32_t steps, tail; /* in_features rounded up = 16 * steps + tail, tail 0 or 8 */
  int32_t zero;
} dense_mve;

#if TML_MVE_ASM

/* r1: x. r3: channels left. r5: stream. r7: y. r9: where to begin. r11: end of x. q6: zero point. On the stack: x,
 * where to go after the tail. */
TML_MVE_NAKED static void dense_row(__attribute__((unused)) const dense_mve *d) {
  __asm__ volatile(
      ".macro tml_fc_step load, mac, bytes\n"
      "vldrb.\\load q0, [r1], #\\bytes\n"
      ".irp acc, r0, r2, r4, r6, r8, r10, r12, lr\n"
      "vldrb.\\load q1, [r5], #\\bytes\n"
      "\\mac \\acc, q0, q1\n"
      ".endr\n"
      ".endm\n"
      "push {r4-r11, lr}\n"
      "vpush {d8-d15}\n"
      "sub sp, #12\n"
      "ldrd r1, r5, [r0]\n"
      "ldrd r7, r3, [r0, #8]\n"
      "ldrd r4, r6, [r0, #16]\n"
      "ldr r2, [r0, #24]\n"
      "vdup.16 q6, r2\n"
      "str r1, [sp]\n"
      "add r11, r1, r6\n"
      "add r11, r11, r4, lsl #4\n"
      "adr.w r2, 5f\n"
      "cbz r4, 1f\n"
      "rsb r4, r4, #0\n"
      "and r4, r4, #7\n"
      "mov r8, #68\n"
      "adr.w r2, 4f\n"
      "mla r2, r4, r8, r2\n"
      "1: orr r2, r2, #1\n"
      "str r2, [sp, #4]\n"
      "mov r9, r2\n"
      "cbz r6, 2f\n"
      "adr.w r9, 3f\n"
      "orr r9, r9, #1\n"
      "2: ldm r5!, {r0, r2, r4, r6, r8, r10, r12, lr}\n" /* eight channels */
      "bx r9\n"
      ".balign 4\n"
      "3:\n"
      "tml_fc_step s16, vmladava.s16, 8\n"
      "ldr pc, [sp, #4]\n"
      ".balign 4\n"
      "4:\n"
      ".rept 8\n"
      "tml_fc_step 8, vmladava.s8, 16\n"
      ".endr\n"
      "cmp r1, r11\n"
      "bne.w 4b\n"
      ".balign 4\n"
      "5: vmov q0[2], q0[0], r0, r8\n"
      "vmov q0[3], q0[1], r4, r12\n"
      "vmov q1[2], q1[0], r2, r10\n"
      "vmov q1[3], q1[1], r6, lr\n"
      "vld20.32 {q2, q3}, [r5]\n" /* multipliers of the even channels, of the odd ones */
      "vld21.32 {q2, q3}, [r5]!\n"
      "vrmulh.s32 q0, q0, q2\n"
      "vrmulh.s32 q1, q1, q3\n"
      "vqmovnb.s32 q0, q0\n"
      "vqmovnt.s32 q0, q1\n"
      "vqadd.s16 q0, q0, q6\n"
      "vqmovnb.s16 q0, q0\n"
      "ldr r1, [sp]\n"
      "vctp.16 r3\n"
      "vpst\n"
      "vstrbt.16 q0, [r7], #8\n"
      "subs r3, #8\n"
      "bgt.w 2b\n"
      "add sp, #12\n"
      "vpop {d8-d15}\n"
      "pop {r4-r11, pc}\n"
      ".purgem tml_fc_step\n");
}

#else

static void dense_row(const dense_mve *d) {
  const tml_output output = tml_make_output(0, (int8_t)d->zero, -128, 127);
  const uint32_t words = 8 + 2 * (16 * d->steps + d->tail);
  uint32_t c, i, step;
  for (c = 0; c < d->channels; ++c) {
    const uint32_t *block = d->stream + c / 8 * (words + 8), lane = c % 8;
    const int8_t *w = (const int8_t *)(block + 8), *x = d->x;
    int32_t acc = (int32_t)block[lane];
    for (i = 0; i < d->tail; ++i) acc += w[8 * lane + i] * *x++;
    w += 8 * d->tail;
    for (step = 0; step < d->steps; ++step, w += 128) {
      for (i = 0; i < 16; ++i) acc += w[16 * lane + i] * *x++;
    }
    d->y[c] = tml_requantize(acc, (int32_t)block[words + lane], output);
  }
}

#endif

int tml_fully_connected_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_fully_connected_dsp_params *p = (const tml_fully_connected_dsp_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  const uint32_t depth = (p->in_features + 7u) & ~7u;
  dense_mve d;
  uint32_t row;
  d.stream = p->stream;
  d.channels = p->out_features;
  d.steps = depth / 16;
  d.tail = depth & 8u;
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
    dense_row(&d);
    if (p->clamp_min > -128 || p->clamp_max < 127) tml_mve_clamp(y, p->out_features, p->clamp_min, p->clamp_max);
  }
  return TML_OK;
}
