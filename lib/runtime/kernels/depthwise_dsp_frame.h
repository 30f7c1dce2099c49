/* depthwise_dsp_frame.h: the frame of the 3x3 depthwise kernels with SMLAD (depthwise_dsp.h).
 *
 * Four channels at a time are copied from the int8 input to a scratch of int16, two rows to a word, so that one SMLAD
 * multiplies two taps of a column; the nine weights of a channel then stay in registers while it runs over a band of
 * output rows. Padding is written into the scratch, so the inner loops know no border. A band keeps the input rows that
 * the next band needs, and all of a pixel's reads come before writes to its place: the output may stand exactly where
 * the input stands. What differs between strides is the function of one channel and how many rows a band needs.
 */
#ifndef TINYML_KERNELS_DEPTHWISE_DSP_FRAME_H
#define TINYML_KERNELS_DEPTHWISE_DSP_FRAME_H

#include "depthwise_dsp.h"

#include "channel_word.h"

/* Two rows of one column, four channels of each, to the words of one column. */
static inline void depthwise_column(const int8_t *upper, const int8_t *lower, uint32_t *to) {
  const uint32_t a = tml_load4(upper), b = tml_load4(lower);
  const uint32_t low = tml_pack_low(a, b), high = tml_pack_high(a, b);
  to[0] = tml_sxtb16(low);
  to[2] = tml_sxtb16_ror8(low);
  to[4] = tml_sxtb16(high);
  to[6] = tml_sxtb16_ror8(high);
}

/* Pairs of columns up to `end`: the step is the distance of neighbouring pixels, or 0 for a row of padding. */
static inline uint32_t *depthwise_pairs(const int8_t *upper, uint32_t upper_step, const int8_t *lower,
                                        uint32_t lower_step, uint32_t *to, const uint32_t *end) {
  while (to != end) {
#if TML_DSP_ASM
    __asm__ volatile(
        "ldr r4, [%0]\n ldr r5, [%1]\n ldr r6, [%0, %3]\n ldr r8, [%1, %4]\n"
        "pkhbt r9, r4, r5, lsl #16\n pkhtb r11, r5, r4, asr #16\n"
        "pkhbt r10, r6, r8, lsl #16\n pkhtb r12, r8, r6, asr #16\n"
        "sxtb16 r4, r9\n sxtb16 r6, r9, ror #8\n sxtb16 r5, r10\n sxtb16 r8, r10, ror #8\n"
        "sxtb16 r9, r11\n sxtb16 r11, r11, ror #8\n sxtb16 r10, r12\n sxtb16 r12, r12, ror #8\n"
        "stm %2!, {r4-r6, r8-r12}\n add %0, %0, %3, lsl #1\n add %1, %1, %4, lsl #1\n"
        : "+&r"(upper), "+&r"(lower), "+&r"(to)
        : "r"(upper_step), "r"(lower_step)
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "memory");
#else
    depthwise_column(upper, lower, to);
    depthwise_column(upper + upper_step, lower + lower_step, to + 1);
    upper += 2 * upper_step;
    lower += 2 * lower_step;
    to += 8;
#endif
  }
  return to;
}

/* Rows y and y + 1 of the input to a pair of rows of the scratch; rows outside of the input read in_zero. */
static TML_NOINLINE void depthwise_fill(const tml_depthwise_dsp_params *p, const tml_depthwise_shape *s,
                                        const int8_t *x, int32_t y, uint32_t *row) {
  const uint32_t zeros = 0x01010101u * (uint8_t)p->in_zero, width = (uint32_t)p->in_w * p->channels;
  const int8_t *upper = (const int8_t *)&zeros, *lower = upper;
  uint32_t upper_step = 0, lower_step = 0, column = p->pad_left, left = s->columns;
  if (y >= 0 && y < p->in_h) {
    upper = x + (uint32_t)y * width;
    upper_step = p->channels;
  }
  if (y + 1 >= 0 && y + 1 < p->in_h) {
    lower = x + (uint32_t)(y + 1) * width;
    lower_step = p->channels;
  }
  if (column % 2 != 0 && left > 0) {
    depthwise_column(upper, lower, tml_depthwise_at(row, column));
    upper += upper_step;
    lower += lower_step;
    ++column;
    --left;
  }
  row = tml_depthwise_at(row, column);
  row = depthwise_pairs(upper, upper_step, lower, lower_step, row, row + left / 2 * 8);
  if (left % 2 != 0) depthwise_column(upper + (left - 1) * upper_step, lower + (left - 1) * lower_step, row);
}

/* The columns of padding, which no band overwrites. */
static TML_NOINLINE void depthwise_pad(const tml_depthwise_dsp_params *p, const tml_depthwise_shape *s,
                                       uint32_t *scratch, uint32_t pair_rows) {
  const uint32_t zeros = 0x00010001u * (uint16_t)p->in_zero;
  uint32_t column;
  for (; pair_rows > 0; --pair_rows, scratch += s->column_pairs * 8) {
    for (column = 0; column < s->column_pairs * 2; ++column) {
      uint32_t *to = tml_depthwise_at(scratch, column);
      if (column - p->pad_left >= s->columns) to[0] = to[2] = to[4] = to[6] = zeros;
    }
  }
}

/* A clamp narrower than int8, applied after the fact. */
static TML_NOINLINE void depthwise_clamp(const tml_depthwise_dsp_params *p, int8_t *y, uint32_t pixels,
                                         uint32_t channels) {
  uint32_t c;
  for (; pixels > 0; --pixels, y += p->channels) {
    for (c = 0; c < channels; ++c) y[c] = (int8_t)tml_clamp(y[c], p->clamp_min, p->clamp_max);
  }
}

/* Up to four channels of one image; the scratch holds those from `base` on. */
static TML_NOINLINE void depthwise_block(const tml_depthwise_dsp_params *p, const tml_depthwise_shape *s,
                                         const int8_t *x, int8_t *y, uint32_t *scratch, uint32_t channel) {
  const uint32_t base = tml_min_u32(channel, p->channels - TML_DEPTHWISE_CHANNELS);
  const uint32_t row_words = s->column_pairs * 8, own = p->multiplier_step && !p->code_shift;
  const uint32_t bytes = TML_DEPTHWISE_TAPS + 4u + 4u * own;
  const uint32_t kept = p->band_rows * s->stride / 2; /* the pair of rows that two bands share */
  tml_depthwise_channel job;
  uint32_t oy;
  job.out_zero = p->out_zero;
  job.channels = p->channels;
  job.pitch = row_words * 4;
  job.columns = p->out_w;
  for (oy = 0; oy < p->out_h; oy += p->band_rows) {
    const uint32_t rows = tml_min_u32(p->band_rows, p->out_h - oy);
    const uint32_t pair_rows = (rows * s->stride + 1) / 2 + 1;
    const int32_t top = (int32_t)(oy * s->stride) - p->pad_top;
    int8_t *to = y + oy * p->out_w * p->channels;
    uint32_t i, c;
    for (i = 0; oy > 0 && i < row_words; ++i) scratch[i] = scratch[kept * row_words + i];
    for (i = oy > 0 ? 1 : 0; i < pair_rows; ++i) {
      depthwise_fill(p, s, x + base, top + (int32_t)(2 * i), scratch + i * row_words);
    }
    job.rows = rows;
    job.out_row = rows > 1 ? (uint32_t)p->out_w * p->channels : 0;
    for (c = channel; c < base + TML_DEPTHWISE_CHANNELS; ++c) {
      const int8_t *at = p->stream + c * bytes;
      job.bias = (int32_t)tml_load4(at);
      job.multiplier = own ? (int32_t)tml_load4(at + 4) : p->multiplier;
      if (p->code_shift) {
        job.multiplier = tml_word_multiplier((uint32_t)job.bias, tml_word_bits(p->code_shift));
        job.bias = tml_word_bias((uint32_t)job.bias);
      }
      job.weights = at + bytes - TML_DEPTHWISE_TAPS;
      job.scratch = scratch + (c - base) * 2;
      job.y = to + c;
      s->function(&job);
    }
    if (p->clamp_min > INT8_MIN || p->clamp_max < INT8_MAX) {
      depthwise_clamp(p, to + channel, rows * p->out_w, base + TML_DEPTHWISE_CHANNELS - channel);
    }
  }
}

static inline int tml_depthwise_dsp_frame(const tml_context *context, const tml_depthwise_dsp_params *p,
                                          const uint32_t *operands, uint32_t stride, tml_depthwise_function function) {
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t *scratch = (uint32_t *)(void *)(context->arena + operands[2]);
  const uint32_t rows = tml_min_u32(p->band_rows, p->out_h);
  tml_depthwise_shape s;
  uint32_t b, c;
  s.stride = stride;
  s.column_pairs = (p->out_w * stride + 4 - stride) / 2;
  s.columns = s.column_pairs * 2 > p->pad_left ? tml_min_u32(p->in_w, s.column_pairs * 2 - p->pad_left) : 0;
  s.function = function;
  depthwise_pad(p, &s, scratch, (rows * stride + 1) / 2 + 1);
  for (b = 0; b < p->batches; ++b) {
    for (c = 0; c < p->channels; c += TML_DEPTHWISE_CHANNELS) depthwise_block(p, &s, x, y, scratch, c);
    x += (uint32_t)p->in_h * p->in_w * p->channels;
    y += (uint32_t)p->out_h * p->out_w * p->channels;
  }
  return TML_OK;
}

#endif
