/* fully_connected_w4_dsp.c: y[rows][out_features] = x * weights^T + bias of int4 weights for cores with the DSP
 * extension, one row by four channels: 31 instructions for 32 multiply-accumulates, where int8 weights need 27.
 *
 * operands: x, y, scratch (aligned to 4) of 2 * in_features bytes, in_features rounded up to a multiple of 8. A row is
 * spread to int16 pairs first, so y may overlap x as far as rows that were read go.
 *
 * A halfword of weights has one tap of four channels, n0 + 16 n1 + 256 n2 + 4096 n3: three codes (int4 + 8) and a
 * signed int4. The sums of x times the halfword, its low byte, its lowest nibble and n2 alone give all four; the codes'
 * 8 is taken out where the sums begin. The stream: blocks of four channels, for each eight taps the words of taps (0,
 * 2), (1, 3), (4, 6), (5, 7), the first tap's halfword low, then bias[4] and multipliers[4].
 */
#include "dsp.h"

enum { CHANNELS = 4, EIGHT_TAPS_BYTES = 124 /* of code */ };

/* One call: as many blocks of four channels as lie between y and y_end. The assembler knows the order. */
typedef struct dense_w4 {
  int32_t begin[4]; /* the sums of whole halfwords, bytes, nibbles, n2 */
  int32_t zero;
  int8_t *y, *y_end;
  const uint32_t *x;
  uint32_t entry; /* into the code, relative to the loop */
  const uint32_t *x_end;
  const uint32_t *stream;
} dense_w4;

#if TML_DSP_ASM
#define TWO_TAPS(x, w)  \
  "smlad r0, " x ", " w \
  ", r0\n"              \
  "uxtb16 r6, " w       \
  "\n"                  \
  "and.w r7, " w        \
  ", #0x000F000F\n"     \
  "and.w " w ", " w     \
  ", #0x0F000F00\n"     \
  "smlad r1, " x        \
  ", r6, r1\n"          \
  "smlad r2, " x        \
  ", r7, r2\n"          \
  "smlad r3, " x ", " w ", r3\n"
#define EIGHT_TAPS                                \
  "ldm lr!, {r8-r11}\n"                           \
  "ldrd r4, r5, [r12], #8\n" TWO_TAPS("r8", "r4") \
      TWO_TAPS("r9", "r5") "ldrd r4, r5, [r12], #8\n" TWO_TAPS("r10", "r4") TWO_TAPS("r11", "r5")

/* r0-r3: sums. r12: stream. lr: x. The stack: as the block. */
static TML_NAKED void dense_blocks(TML_UNUSED const dense_w4 *block) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "add r1, r0, #16\n"
      "ldm r1, {r2-r7, r12}\n"
      "adr r8, 2f\n"
      "add r6, r6, r8\n"
      "adds r6, #1\n" /* the bit that says Thumb */
      "push {r2-r7}\n"
      "ldm r0, {r0-r3}\n"
      "push {r0-r3}\n"
      "1:\n"
      "ldm sp, {r0-r3}\n"
      "ldr lr, [sp, #28]\n"
      "ldr pc, [sp, #32]\n"
      ".balign 4\n"
      "2:\n" EIGHT_TAPS EIGHT_TAPS EIGHT_TAPS EIGHT_TAPS
      "ldr r4, [sp, #36]\n"
      "cmp lr, r4\n"
      "bne.w 2b\n"
      "sub r0, r0, r1\n"
      "sub r1, r1, r2\n"
      "ldm r12!, {r4-r7}\n"
      "sub r0, r0, r3\n"
      "ldm r12!, {r8-r11}\n"
      "add r1, r5, r1, asr #1\n"
      "add r2, r4, r2, lsl #3\n"
      "add r3, r6, r3, asr #5\n"
      "add r0, r7, r0, asr #9\n"
      "ldrd r4, r5, [sp, #16]\n" /* zero, y */
      "smmlar r2, r2, r8, r4\n"
      "smmlar r1, r1, r9, r4\n"
      "smmlar r3, r3, r10, r4\n"
      "smmlar r0, r0, r11, r4\n"
      "ssat r2, #8, r2\n"
      "ssat r1, #8, r1\n"
      "ssat r3, #8, r3\n"
      "ssat r0, #8, r0\n"
      "strb r2, [r5], #1\n"
      "strb r1, [r5], #1\n"
      "strb r3, [r5], #1\n"
      "strb r0, [r5], #1\n"
      "str r5, [sp, #20]\n"
      "ldr r4, [sp, #24]\n"
      "cmp r5, r4\n"
      "bne.w 1b\n"
      "add sp, #40\n"
      "pop {r4-r11, pc}\n");
}
#else
/* Eight times the int4 of channel c in a halfword. */
static int32_t weight_of(uint32_t half, uint32_t c) {
  const int32_t code = (int32_t)(half >> 4 * c & 15u);
  return 8 * (c < 3 ? code - 8 : code < 8 ? code : code - 16);
}

static TML_NOINLINE void dense_blocks(const dense_w4 *block) {
  const uint32_t *w = block->stream, words = (uint32_t)(block->x_end - block->x);
  int8_t *y;
  for (y = block->y; y != block->y_end; y += CHANNELS, w += words + 2 * CHANNELS) {
    const uint32_t *constants = w + words;
    uint32_t c, i;
    for (c = 0; c < CHANNELS; ++c) {
      int32_t sum = (int32_t)constants[c];
      for (i = 0; i < words; ++i) {
        sum += (int16_t)(block->x[i] & 0xFFFFu) * weight_of(w[i] & 0xFFFFu, c);
        sum += (int16_t)(block->x[i] >> 16) * weight_of(w[i] >> 16, c);
      }
      sum = tml_scale_high(sum, (int32_t)constants[CHANNELS + c]) + block->zero;
      y[c] = (int8_t)tml_clamp(sum, -128, 127);
    }
  }
}
#endif

/* A row to pairs, `words` of them; returns the sum of its elements. */
static TML_NOINLINE int32_t spread(const int8_t *x, uint32_t n, uint32_t *to, uint32_t words) {
  const uint32_t *end = to + words;
  int32_t sum = 0;
  uint32_t i;
  for (; to != end; to += 2, x += 4, n -= 4) {
    uint32_t bytes = 0;
    if (n < 4) {
      for (i = 0; i < n; ++i) bytes |= (uint32_t)(uint8_t)x[i] << 8 * i;
      n = 4; /* zeros follow */
    } else {
      bytes = tml_load4(x);
    }
    to[0] = tml_sxtb16(bytes);
    to[1] = tml_sxtb16_ror8(bytes);
    sum += (int32_t)tml_smlad(to[0], 0x00010001u, tml_smlad(to[1], 0x00010001u, 0));
  }
  return sum;
}

static void dense_row(const tml_fully_connected_dsp_params *p, dense_w4 *block, int8_t *y) {
  const uint32_t tail = p->out_features % CHANNELS, whole = p->out_features - tail;
  int8_t last[CHANNELS] = {0};
  uint32_t i;
  block->stream = p->stream;
  block->y = y;
  block->y_end = y + whole;
  if (whole > 0) dense_blocks(block);
  if (tail > 0) {
    block->stream += whole / CHANNELS * ((uint32_t)(block->x_end - block->x) + 2 * CHANNELS);
    block->y = last;
    block->y_end = last + CHANNELS;
    dense_blocks(block);
    for (i = 0; i < tail; ++i) y[whole + i] = last[i];
  }
  if (p->clamp_min == -128 && p->clamp_max == 127) return;
  for (i = 0; i < p->out_features; ++i) y[i] = (int8_t)tml_clamp(y[i], p->clamp_min, p->clamp_max);
}

int tml_fully_connected_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_fully_connected_dsp_params *p = (const tml_fully_connected_dsp_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t *pairs = (uint32_t *)(void *)tml_operand(context, operands[2]);
  const uint32_t rounds = (p->in_features + 7) / 8;
  dense_w4 block;
  uint32_t row;
  block.zero = p->out_zero;
  block.x = pairs;
  block.x_end = pairs + 4 * rounds;
  block.entry = (0u - rounds) % 4u * EIGHT_TAPS_BYTES;
  for (row = 0; row < p->rows; ++row, x += p->in_features, y += p->out_features) {
    const int32_t eights = -8 * spread(x, p->in_features, pairs, 4 * rounds);
    block.begin[2] = eights;
    block.begin[1] = eights * 17;
    block.begin[3] = eights * 256;
    block.begin[0] = block.begin[1] + block.begin[3];
    dense_row(p, &block, y);
  }
  return TML_OK;
}
