/* conv2d_packed_s16_mve.c: 2-D convolution of int16 by int8 for Helium, two output pixels by four channels at a time: 8
 * accumulators in the even registers, 14 instructions for 64 multiply-accumulates.
 *
 * operands: x, y, [scratch]; packed constants, scratch and what may overlap: see the record. groups = 1, shift = 0,
 * out_c % 4 = 0. Pixels of a 1x1 convolution are read where they stand if their depth is a multiple of 8; every other
 * window is gathered into a patch first. An odd pixel at the end is computed as both of a pair.
 */
#include "mve.h"
#include "s16.h"
#include "window.h"

/* The assembler knows the offsets of the fields: they are 4 bytes each. */
typedef struct conv_pair {
  const int16_t *x0, *x1;
  int16_t *y, *y_end;     /* of the first pixel */
  const uint32_t *stream; /* per block: bias[4], [steps][4][8] weights, multipliers[4] */
  uint32_t steps;         /* of 8 taps, at least 1 */
  uint32_t second;        /* elements from the first pixel's outputs to the second's */
  int32_t low, high;
} conv_pair;

#if TML_MVE_ASM

/* r1, r3: pixels. r5: stream. r7, r9: end of outputs, outputs. r11: end of the first pixel. q6: low. q7: offsets of the
 * 8 outputs. On the stack: r1, r3, where to begin, a free word, high eight times. */
TML_MVE_NAKED static void conv_channels(__attribute__((unused)) const conv_pair *p) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "vpush {d8-d15}\n"
      "sub sp, #32\n"
      "ldr r2, [r0, #32]\n"
      "vdup.16 q0, r2\n"
      "vstrw.32 q0, [sp, #16]\n"
      "ldr r2, [r0, #28]\n"
      "vdup.16 q6, r2\n"
      "ldr r2, [r0, #24]\n"
      "lsl r2, r2, #16\n"
      "vdup.32 q7, r2\n"
      "movs r4, #0\n"
      "vidup.u32 q0, r4, #1\n"
      "mov r2, #0x10001\n"
      "vmla.s32 q7, q0, r2\n"
      "ldrd r1, r3, [r0]\n"
      "strd r1, r3, [sp]\n"
      "ldrd r9, r7, [r0, #8]\n"
      "ldrd r5, r4, [r0, #16]\n"
      "add r11, r1, r4, lsl #4\n"
      "rsb r4, r4, #0\n"
      "and r4, r4, #3\n"
      "mov r8, #56\n"
      "adr.w r2, 4f\n"
      "mla r2, r4, r8, r2\n"
      "orr r2, r2, #1\n"
      "str r2, [sp, #8]\n"
      ".balign 4\n"
      "2: ldm r5, {r8, r10, r12, lr}\n" /* four channels */
      "ldm r5!, {r0, r2, r4, r6}\n"
      "ldr pc, [sp, #8]\n"
      ".balign 4\n"
      "4:\n"
      ".rept 4\n"
      "vldrb.s16 q0, [r5], #8\n"
      "vldrb.s16 q1, [r5], #8\n"
      "vldrb.s16 q2, [r5], #8\n"
      "vldrb.s16 q3, [r5], #8\n"
      "vldrh.u16 q4, [r1], #16\n"
      "vmladava.s16 r0, q0, q4\n"
      "vmladava.s16 r2, q1, q4\n"
      "vldrh.u16 q5, [r3], #16\n"
      "vmladava.s16 r4, q2, q4\n"
      "vmladava.s16 r6, q3, q4\n"
      "vmladava.s16 r8, q0, q5\n"
      "vmladava.s16 r10, q1, q5\n"
      "vmladava.s16 r12, q2, q5\n"
      "vmladava.s16 lr, q3, q5\n"
      ".endr\n"
      "cmp r1, r11\n"
      "bne.w 4b\n"
      "vmov q0[2], q0[0], r0, r4\n"
      "vmov q0[3], q0[1], r2, r6\n"
      "vmov q1[2], q1[0], r8, r12\n"
      "vmov q1[3], q1[1], r10, lr\n"
      "vldrw.32 q2, [r5], #16\n"
      "vldrw.32 q3, [sp, #16]\n"
      "vrmulh.s32 q0, q0, q2\n"
      "vrmulh.s32 q1, q1, q2\n"
      "vqmovnb.s32 q0, q0\n"
      "vqmovnt.s32 q0, q1\n"
      "vmax.s16 q0, q0, q6\n"
      "vmin.s16 q0, q0, q3\n"
      "vstrh.16 q0, [r9, q7, uxtw #1]\n"
      "add r9, r9, #8\n"
      "ldrd r1, r3, [sp]\n"
      "cmp r9, r7\n"
      "bne.w 2b\n"
      "add sp, #32\n"
      "vpop {d8-d15}\n"
      "pop {r4-r11, pc}\n");
}

#else

static void conv_channels(const conv_pair *p) {
  const tml_output_s16 output = tml_make_output_s16(0, (int16_t)p->low, (int16_t)p->high);
  const uint32_t words = 8u + 8u * p->steps;
  const uint32_t *stream = p->stream;
  int16_t *y;
  for (y = p->y; y != p->y_end; y += 4, stream += words) {
    const int8_t *weights = (const int8_t *)(stream + 4);
    uint32_t c, i;
    for (c = 0; c < 4; ++c) {
      int32_t first = (int32_t)stream[c], second = first;
      for (i = 0; i < 8u * p->steps; ++i) {
        const int32_t w = weights[i / 8 * 32 + 8 * c + i % 8];
        first += w * p->x0[i];
        second += w * p->x1[i];
      }
      y[c] = tml_requantize_s16(first, (int32_t)stream[words - 4 + c], output);
      y[p->second + c] = tml_requantize_s16(second, (int32_t)stream[words - 4 + c], output);
    }
  }
}

#endif

/* The window of an output pixel as a dense patch of `k` elements. */
static TML_NOINLINE void conv_gather(const tml_conv2d_s16_dsp_params *p, const int16_t *x, tml_window y, uint32_t ox,
                                     int16_t *patch, uint32_t k) {
  const tml_window w = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
  const uint32_t depth = p->in_c, run = p->kernel_w * depth, columns = w.end - w.begin, rows = y.end - y.begin;
  const uint32_t pitch = (uint32_t)p->dilation_h * p->in_w * depth;
  uint32_t row, kx;
  if (rows < p->kernel_h || columns < p->kernel_w || run * p->kernel_h < k) tml_mve_fill((int8_t *)patch, 0, 2 * k);
  if (rows == 0 || columns == 0) return;
  x += (tml_tap(y, y.begin, p->dilation_h) * p->in_w + tml_tap(w, w.begin, p->dilation_w)) * depth;
  patch += y.begin * run + w.begin * depth;
  if (p->dilation_w == 1) {
    tml_mve_copy_rows((int8_t *)patch, (const int8_t *)x, 2 * columns * depth, rows, 2 * run, 2 * pitch);
    return;
  }
  for (row = 0; row < rows; ++row, x += pitch, patch += run) {
    for (kx = 0; kx < columns; ++kx) {
      tml_mve_copy((int8_t *)(patch + kx * depth), (const int8_t *)(x + kx * p->dilation_w * depth), 2 * depth);
    }
  }
}

static uint32_t conv_is_dense(const tml_conv2d_s16_dsp_params *p) {
  return p->kernel_h == 1 && p->kernel_w == 1 && p->in_c % 8 == 0 && p->pad_top == 0 && p->pad_left == 0 &&
         (p->out_h - 1) * p->stride_h < p->in_h && (p->out_w - 1) * p->stride_w < p->in_w;
}

int tml_conv2d_packed_s16_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_s16_dsp_params *p = (const tml_conv2d_s16_dsp_params *)params;
  const uint32_t is_dense = conv_is_dense(p), k = ((uint32_t)p->kernel_h * p->kernel_w * p->in_c + 7u) & ~7u;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]), *patches = is_dense ? y : tml_operand_s16(context, operands[2]);
  const int16_t *first = 0;
  conv_pair s;
  uint32_t b, oy, ox;
  s.stream = p->stream;
  s.steps = k / 8u;
  s.low = p->clamp_min, s.high = p->clamp_max;
  s.second = p->out_c;
  for (b = 0; b < p->batches; ++b, x += (uint32_t)p->in_h * p->in_w * p->in_c) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window w = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox) {
        int16_t *patch = first ? patches + k : patches;
        const int16_t *pixel = patch;
        if (is_dense) {
          pixel = x + (oy * p->stride_h * p->in_w + ox * p->stride_w) * p->in_c;
        } else {
          conv_gather(p, x, w, ox, patch, k);
        }
        if (!first) {
          first = pixel;
          continue;
        }
        s.x0 = first, s.x1 = pixel;
        s.y = y, s.y_end = y + p->out_c;
        conv_channels(&s);
        y += 2u * p->out_c;
        first = 0;
      }
    }
  }
  if (first) {
    s.x0 = s.x1 = first;
    s.y = y, s.y_end = y + p->out_c;
    s.second = 0;
    conv_channels(&s);
  }
  return TML_OK;
}
