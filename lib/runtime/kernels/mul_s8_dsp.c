/* mul_s8_dsp.c: y = a * b for Cortex-M4, M7 and M33, four elements at a time.
 *
 * Operands, record and result are those of mul_s8.c, with shift = 0 and rows as binary_dsp.h says.
 * |acc| <= 255 * 255, so |acc * multiplier / 2^32| <= 32512, and with a zero point of 0 to 255 it has 16 bits.
 */
#include "binary_dsp.h"

typedef struct mul_row {
  tml_pair pair;
  uint32_t step;           /* bytes by which b moves for four elements */
  uint32_t a_zero, b_zero; /* less the zero point, in both halves */
  int32_t multiplier;
  int32_t zero; /* 0 to 255: USAT16 saturates to uint8 */
} mul_row;

#if TML_DSP_ASM
static TML_NAKED void mul_fours(const mul_row *row TML_UNUSED) {
  __asm__(
      "push {r4-r11, lr}\n"
      "ldmia r0, {r0-r9}\n"
      "1: ldr r10, [r1], #4\n"
      "ldr r11, [r2]\n"
      "add r2, r2, r5\n"
      "sxtab16 r0, r6, r10\n"
      "sxtab16 r12, r7, r11\n"
      "sxtab16 r10, r6, r10, ror #8\n"
      "sxtab16 r11, r7, r11, ror #8\n"
      "smulbb lr, r0, r12\n"
      "smultt r0, r0, r12\n"
      "smmlar lr, lr, r8, r9\n"
      "smmlar r0, r0, r8, r9\n"
      "smulbb r12, r10, r11\n"
      "smultt r10, r10, r11\n"
      "smmlar r12, r12, r8, r9\n"
      "smmlar r10, r10, r8, r9\n"
      "pkhbt lr, lr, r0, lsl #16\n"
      "pkhbt r12, r12, r10, lsl #16\n"
      "usat16 lr, #8, lr\n"
      "usat16 r12, #8, r12\n"
      "orr lr, lr, r12, lsl #8\n"
      "eor lr, lr, #0x80808080\n"
      "subs r4, r4, #1\n"
      "str lr, [r3], #4\n"
      "bne 1b\n"
      "pop {r4-r11, pc}");
}
#endif

/* The elements behind the first `done`. */
static TML_NOINLINE void mul_rest(const mul_row *f, uint32_t done) {
  const tml_pair *row = &f->pair;
  const int32_t a_zero = (int16_t)f->a_zero, b_zero = (int16_t)f->b_zero, multiplier = f->multiplier;
  const int32_t zero = f->zero - 128;
  const uint32_t step = f->step / 4;
  const int8_t *a = row->a + done, *b = row->b + step * done, *end = row->a + row->n;
  int8_t *y = row->y + done;
  for (; a != end; b += step) {
    const int32_t acc = (*a++ + a_zero) * (*b + b_zero);
    *y++ = (int8_t)tml_saturate8(tml_scale_high(acc, multiplier) + zero);
  }
}

static void mul_pair(const tml_pair *row) {
  const uint32_t done = 4 * row->fours;
#if TML_DSP_ASM
  if (done != 0) mul_fours((const mul_row *)row);
#endif
  if (done != row->n) mul_rest((const mul_row *)row, done);
}

static uint32_t two_halves(int32_t value) { return 0x10001u * ((uint32_t)value & 0xFFFFu); }

int tml_mul_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_binary_params *p = (const tml_binary_params *)params;
  tml_pair_walk w;
  mul_row row;
  if (!tml_pair_begin(&w, p)) return TML_OK;
  row.step = 4 * w.walk.b_step;
  row.a_zero = two_halves(-(w.swapped ? p->b_zero : p->a_zero));
  row.b_zero = two_halves(-(w.swapped ? p->a_zero : p->b_zero));
  row.multiplier = p->a_multiplier;
  row.zero = p->out_zero + 128;
  tml_pair_run(context, p, operands, &w, &row, mul_pair);
  return TML_OK;
}
