/* add_s8_dsp.c: y = a + b for Cortex-M4, M7 and M33, four elements at a time.
 *
 * Operands, record and result are those of add_s8.c, with shift >= 16, |a_multiplier| * 255 + |b_multiplier| * 255 +
 * 2^(shift-1) + (out_zero + 128) * 2^shift < 2^31, and rows as binary_dsp.h says. A byte in the upper half of an int16
 * times 2^8 times its multiplier is 2^16 times the product, which SMLAW adds exactly.
 */
#include "binary_dsp.h"

typedef struct add_row {
  tml_pair pair;
  int32_t a, b;     /* multipliers times 2^8 */
  int32_t constant; /* of rounding and zero points, out_zero + 128 included: USAT16 saturates to uint8 */
  uint32_t shift;   /* and in the bits above 7 how far b moves for four elements */
} add_row;

#if TML_DSP_ASM
static TML_NAKED void add_fours(const add_row *row TML_UNUSED) {
  __asm__(
      "push {r4-r11, lr}\n"
      "ldmia r0, {r0-r8}\n"
      "mov r9, #0xFF00FF00\n"
      "1: ldr r10, [r1], #4\n"
      "ldr r11, [r2]\n"
      "add r2, r2, r8, lsr #8\n"
      "and r12, r9, r10, lsl #8\n"
      "and r10, r9, r10\n"
      "smlawb lr, r5, r12, r7\n"
      "smlawt r12, r5, r12, r7\n"
      "and r0, r9, r11, lsl #8\n"
      "and r11, r9, r11\n"
      "smlawb lr, r6, r0, lr\n"
      "smlawt r12, r6, r0, r12\n"
      "smlawb r0, r5, r10, r7\n"
      "smlawt r10, r5, r10, r7\n"
      "smlawb r0, r6, r11, r0\n"
      "smlawt r10, r6, r11, r10\n"
      "asr lr, lr, r8\n"
      "asr r12, r12, r8\n"
      "asr r0, r0, r8\n"
      "asr r10, r10, r8\n"
      "pkhbt lr, lr, r12, lsl #16\n"
      "pkhbt r0, r0, r10, lsl #16\n"
      "usat16 lr, #8, lr\n"
      "usat16 r0, #8, r0\n"
      "orr lr, lr, r0, lsl #8\n"
      "eor lr, lr, #0x80808080\n"
      "subs r4, r4, #1\n"
      "str lr, [r3], #4\n"
      "bne 1b\n"
      "pop {r4-r11, pc}");
}
#endif

/* The elements behind the first `done`. */
static TML_NOINLINE void add_rest(const add_row *f, uint32_t done) {
  const tml_pair *row = &f->pair;
  const int32_t a_factor = f->a >> 8, b_factor = f->b >> 8, constant = f->constant;
  const uint32_t step = f->shift >> 10, shift = f->shift & 0xFFu;
  const int8_t *a = row->a + done, *b = row->b + step * done, *end = row->a + row->n;
  int8_t *y = row->y + done;
  for (; a != end; b += step) {
    const int32_t sum = constant + *a++ * a_factor + *b * b_factor;
    *y++ = (int8_t)tml_saturate8((sum >> shift) - 128);
  }
}

static void add_pair(const tml_pair *row) {
  const uint32_t done = 4 * row->fours;
#if TML_DSP_ASM
  if (done != 0) add_fours((const add_row *)row);
#endif
  if (done != row->n) add_rest((const add_row *)row, done);
}

int tml_add_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_binary_params *p = (const tml_binary_params *)params;
  tml_pair_walk w;
  add_row row;
  if (!tml_pair_begin(&w, p)) return TML_OK;
  row.a = (w.swapped ? p->b_multiplier : p->a_multiplier) * 256;
  row.b = (w.swapped ? p->a_multiplier : p->b_multiplier) * 256;
  row.constant =
      ((2 * (p->out_zero + 128) + 1) << (p->shift - 1)) - p->a_zero * p->a_multiplier - p->b_zero * p->b_multiplier;
  row.shift = p->shift + 4 * w.walk.b_step * 256;
  tml_pair_run(context, p, operands, &w, &row, add_pair);
  return TML_OK;
}
