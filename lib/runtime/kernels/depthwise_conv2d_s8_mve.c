/* depthwise_conv2d_s8_mve.c: depthwise convolution for Helium, one channel at a time, four outputs for one gather.
 *
 * operands: x, y, scratch; packed constants, scratch and the shapes that it takes: see the record. A channel is copied
 * to a dense plane with its padding around it; then it may be overwritten, so y may be exactly x, with a stride too.
 * Outputs are computed in blocks of four: 2x2, 1x4 or 4x1. One gather fetches all inputs of a block (or, where they are
 * more than 16, of half of it), one VMLADAV per output sums them with the weights at their places; the lanes that an
 * output does not use meet the zero behind the weights. A last block that would not be full starts earlier.
 */
#include "mve.h"

#define LANES 16

/* The assembler knows the offsets of the fields up to `pixels`: pointers and integers have 4 bytes each there. */
typedef struct depthwise_mve {
  const int8_t *x;
  int8_t *plane; /* the first input pixel's place */
  uint32_t rows, width;
  uint32_t x_group, x_row, plane_row; /* steps: 8 pixels; from behind the last group of a row to the next row */
  const uint32_t *blocks;             /* pairs of addresses: inputs in the plane, outputs of channel 0 */
  uint32_t count, channels;
  const uint8_t *stream;
  uint32_t stream_step;
  int32_t zero;
  uint32_t half; /* from a block's inputs to those of its second half, 0: one gather for all */
  uint8_t inputs[LANES];
  uint8_t taps[4][LANES];
  uint32_t outputs[4];
  uint16_t pixels[8];
} depthwise_mve;

typedef struct depthwise_shape {
  uint32_t plane_h, plane_w;
  uint32_t block_h, block_w, halves;
  uint32_t inputs_h, inputs_w; /* of a gather */
  uint32_t count;
} depthwise_shape;

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t extent(uint32_t outputs, uint32_t stride, uint32_t kernel, uint32_t dilation) {
  return (outputs - 1) * stride + (kernel - 1) * dilation + 1;
}

static depthwise_shape make_shape(const tml_depthwise_mve_params *p) {
  depthwise_shape s;
  const uint32_t half_h = p->block_h > 1 ? p->block_h / p->halves : 1;
  const uint32_t half_w = p->block_h > 1 ? p->block_w : p->block_w / p->halves;
  s.block_h = p->block_h;
  s.block_w = p->block_w;
  s.halves = p->halves;
  s.plane_h = larger(p->pad_top + (uint32_t)p->in_h, extent(p->out_h, p->stride_h, p->kernel_h, p->dilation_h));
  s.plane_w = larger(p->pad_left + (uint32_t)p->in_w, extent(p->out_w, p->stride_w, p->kernel_w, p->dilation_w));
  s.inputs_h = extent(half_h, p->stride_h, p->kernel_h, p->dilation_h);
  s.inputs_w = extent(half_w, p->stride_w, p->kernel_w, p->dilation_w);
  s.count = ((p->out_h + s.block_h - 1) / s.block_h) * ((p->out_w + s.block_w - 1) / s.block_w);
  return s;
}

static inline uint32_t stream_step(const tml_depthwise_mve_params *p) {
  return 8u + (((uint32_t)p->kernel_h * p->kernel_w + 4u) & ~3u);
}

#if TML_MVE_ASM

/* Which inputs a gather fetches, which weights they meet for each output, and where the outputs go. */
static TML_NOINLINE void make_lanes(depthwise_mve *d, const tml_depthwise_mve_params *p, const depthwise_shape *s) {
  const uint32_t none = (uint32_t)p->kernel_h * p->kernel_w, per_half = 4 / s->halves;
  uint32_t lane, y, x, i;
  memset(d->inputs, 0, sizeof d->inputs);
  memset(d->taps, (int)none, sizeof d->taps);
  for (lane = y = 0; y < s->inputs_h; ++y) {
    for (x = 0; x < s->inputs_w; ++x) d->inputs[lane++] = (uint8_t)(y * s->plane_w + x);
  }
  for (i = 0; i < 4; ++i) {
    const uint32_t oy = i / s->block_w, ox = i % s->block_w;
    d->outputs[i] = (oy * p->out_w + ox) * p->channels;
    if (i >= per_half) continue;
    for (lane = y = 0; y < p->kernel_h; ++y) {
      const uint32_t row = (oy * p->stride_h + y * p->dilation_h) * s->inputs_w + ox * p->stride_w;
      for (x = 0; x < p->kernel_w; ++x) d->taps[i][row + x * p->dilation_w] = (uint8_t)lane++;
    }
  }
  for (i = 0; i < 8; ++i) d->pixels[i] = (uint16_t)(i * p->channels);
  d->half = 0;
  if (s->halves > 1) d->half = s->block_h > 1 ? p->stride_h * s->plane_w : 2u * p->stride_w;
  if (s->halves > 1 && s->block_h == 4) d->half *= 2;
}

static TML_NOINLINE void make_blocks(uint32_t *to, const tml_depthwise_mve_params *p, const depthwise_shape *s,
                                     const int8_t *plane, int8_t *y) {
  uint32_t oy, ox;
  for (oy = 0; oy < p->out_h; oy += s->block_h) {
    const uint32_t first = tml_min_u32(oy, p->out_h - s->block_h);
    const int8_t *row = plane + first * p->stride_h * s->plane_w;
    for (ox = 0; ox < p->out_w; ox += s->block_w) {
      const uint32_t column = tml_min_u32(ox, p->out_w - s->block_w);
      *to++ = (uint32_t)(row + column * p->stride_w);
      *to++ = (uint32_t)(y + (first * p->out_w + column) * p->channels);
    }
  }
}

/* r11: d. q4: inputs, q7: outputs. Copying: q5 pixels. Computing: q0-q3 weights, q5 inputs and sums, q6 multiplier; r10
 * bias, r8 zero point, r7 half, r5 blocks, r3 channel. */
TML_MVE_NAKED static void run_channels(__attribute__((unused)) depthwise_mve *d) {
  __asm__ volatile(
      ".macro tml_dw_finish\n"
      "vmov q5[2], q5[0], r0, r4\n"
      "vmov q5[3], q5[1], r2, r6\n"
      "vadd.i32 q5, q5, r10\n"
      "vrmulh.s32 q5, q5, q6\n"
      "vqmovnb.s32 q5, q5\n"
      "vqadd.s16 q5, q5, r8\n"
      "vqmovnb.s16 q5, q5\n"
      "vstrb.32 q5, [r9, q7]\n"
      ".endm\n"
      "push {r4-r11, lr}\n"
      "vpush {d8-d15}\n"
      "sub sp, #4\n"
      "mov r11, r0\n"
      "movs r3, #0\n"
      "vldrb.8 q4, [r11, #56]\n"
      "vldrw.32 q7, [r11, #136]\n"
      "1: str r3, [sp]\n"
      "ldrd r1, r3, [r11]\n"
      "adds r2, r1, #1\n"
      "str r2, [r11]\n"
      "ldrd r4, r5, [r11, #8]\n"
      "ldrd r6, r7, [r11, #16]\n"
      "ldr r8, [r11, #24]\n"
      "vldrh.16 q5, [r11, #152]\n"
      "2: wlstp.16 lr, r5, 4f\n"
      "3: vldrb.u16 q6, [r1, q5]\n"
      "vstrb.16 q6, [r3], #8\n"
      "add r1, r6\n"
      "letp lr, 3b\n"
      "4: add r1, r7\n"
      "add r3, r8\n"
      "subs r4, #1\n"
      "bne 2b\n"
      "ldrd r1, r2, [r11, #40]\n"
      "add r2, r1\n"
      "str r2, [r11, #40]\n"
      "ldrd r10, r2, [r1], #8\n"
      "vdup.32 q6, r2\n"
      "vldrb.8 q5, [r11, #72]\n"
      "vldrb.u8 q0, [r1, q5]\n"
      "vldrb.8 q5, [r11, #88]\n"
      "vldrb.u8 q1, [r1, q5]\n"
      "ldrd r5, r4, [r11, #28]\n"
      "ldrd r8, r7, [r11, #48]\n"
      "ldr r3, [sp]\n"
      "dls lr, r4\n"
      "cbnz r7, 6f\n"
      "vldrb.8 q5, [r11, #104]\n"
      "vldrb.u8 q2, [r1, q5]\n"
      "vldrb.8 q5, [r11, #120]\n"
      "vldrb.u8 q3, [r1, q5]\n"
      "5: ldrd r1, r9, [r5], #8\n"
      "vldrb.u8 q5, [r1, q4]\n"
      "add r9, r3\n"
      "vmladav.s8 r0, q0, q5\n"
      "vmladav.s8 r2, q1, q5\n"
      "vmladav.s8 r4, q2, q5\n"
      "vmladav.s8 r6, q3, q5\n"
      "tml_dw_finish\n"
      "le lr, 5b\n"
      "b 7f\n"
      "6: ldrd r1, r9, [r5], #8\n"
      "vldrb.u8 q5, [r1, q4]\n"
      "add r1, r7\n"
      "vmladav.s8 r0, q0, q5\n"
      "vmladav.s8 r2, q1, q5\n"
      "vldrb.u8 q5, [r1, q4]\n"
      "add r9, r3\n"
      "vmladav.s8 r4, q0, q5\n"
      "vmladav.s8 r6, q1, q5\n"
      "tml_dw_finish\n"
      "le lr, 6b\n"
      "7: ldr r0, [r11, #36]\n"
      "adds r3, #1\n"
      "cmp r3, r0\n"
      "bne.w 1b\n"
      "add sp, #4\n"
      "vpop {d8-d15}\n"
      "pop {r4-r11, pc}\n"
      ".purgem tml_dw_finish\n");
}

static void run_image(const tml_depthwise_mve_params *p, const depthwise_shape *s, depthwise_mve *d, int8_t *y,
                      int8_t *plane) {
  const uint32_t groups = (p->in_w + 7u) / 8u * 8u;
  uint32_t *blocks = (uint32_t *)(void *)(plane + ((s->plane_h * s->plane_w + 3u) & ~3u));
  make_blocks(blocks, p, s, plane, y);
  d->plane = plane + p->pad_top * s->plane_w + p->pad_left;
  d->rows = p->in_h;
  d->width = p->in_w;
  d->x_group = 8u * p->channels;
  d->x_row = (p->in_w - groups) * p->channels;
  d->plane_row = s->plane_w - groups;
  d->blocks = blocks;
  d->count = s->count;
  d->channels = p->channels;
  d->stream = (const uint8_t *)p->stream;
  d->stream_step = stream_step(p);
  d->zero = p->out_zero;
  run_channels(d);
}

#else

static int32_t point_sum(const tml_depthwise_mve_params *p, const depthwise_shape *s, const int8_t *x,
                         const int8_t *w) {
  int32_t acc = 0;
  uint32_t ky, kx;
  for (ky = 0; ky < p->kernel_h; ++ky) {
    for (kx = 0; kx < p->kernel_w; ++kx) acc += *w++ * x[ky * p->dilation_h * s->plane_w + kx * p->dilation_w];
  }
  return acc;
}

static TML_NOINLINE void make_lanes(depthwise_mve *d, const tml_depthwise_mve_params *p, const depthwise_shape *s) {
  (void)d, (void)p, (void)s;
}

static void run_image(const tml_depthwise_mve_params *p, const depthwise_shape *s, depthwise_mve *d, int8_t *y,
                      int8_t *plane) {
  const tml_output output = tml_make_output(0, p->out_zero, -128, 127);
  const uint32_t words = stream_step(p) / 4;
  uint32_t c, i, j;
  for (c = 0; c < p->channels; ++c) {
    const uint32_t *stream = p->stream + c * words;
    for (i = 0; i < p->in_h; ++i) {
      int8_t *row = plane + (i + p->pad_top) * s->plane_w + p->pad_left;
      for (j = 0; j < p->in_w; ++j) row[j] = d->x[(i * p->in_w + j) * p->channels + c];
    }
    for (i = 0; i < p->out_h; ++i) {
      for (j = 0; j < p->out_w; ++j) {
        const int32_t acc =
            point_sum(p, s, plane + i * p->stride_h * s->plane_w + j * p->stride_w, (const int8_t *)(stream + 2));
        y[(i * p->out_w + j) * p->channels + c] = tml_requantize((int32_t)stream[0] + acc, (int32_t)stream[1], output);
      }
    }
  }
}

#endif

int tml_depthwise_conv2d_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_depthwise_mve_params *p = (const tml_depthwise_mve_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  int8_t *plane = tml_operand(context, operands[2]);
  const depthwise_shape s = make_shape(p);
  const uint32_t outputs = (uint32_t)p->out_h * p->out_w * p->channels;
  depthwise_mve d;
  make_lanes(&d, p, &s);
  tml_mve_fill(plane, p->in_zero, s.plane_h * s.plane_w);
  d.x = x;
  run_image(p, &s, &d, y, plane);
  if (p->clamp_min > -128 || p->clamp_max < 127) tml_mve_clamp(y, outputs, p->clamp_min, p->clamp_max);
  return TML_OK;
}
