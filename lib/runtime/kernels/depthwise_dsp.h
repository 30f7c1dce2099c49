/* depthwise_dsp.h: the frame of the 3x3 depthwise kernels for cores with the DSP extension (Cortex-M4, M7, M33).
 *
 * Four channels at a time are copied from the int8 input to a scratch of int16, two rows to a word, so that one SMLAD
 * multiplies two taps of a column; the nine weights of a channel then stay in registers while it runs over a band of
 * output rows. Padding is written into the scratch, so the inner loops know no border. A band keeps the input rows that
 * the next band needs, and all of a pixel's reads come before writes to its place: the output may stand exactly where
 * the input stands. What differs between strides is the function of one channel and how many rows a band needs.
 *
 * Scratch: word ((pair_row * column_pairs + column / 2) * 4 + channel) * 2 + column % 2 holds the rows 2 * pair_row
 * (low half) and 2 * pair_row + 1 of a column; row 0 and column 0 are the first row and column of the padded input's
 * band.
 */
#ifndef TINYML_KERNELS_DEPTHWISE_DSP_H
#define TINYML_KERNELS_DEPTHWISE_DSP_H

#include "dsp.h"

#define TML_DEPTHWISE_CHANNELS 4 /* that share the scratch */
#define TML_DEPTHWISE_TAPS 9

/* One channel of one band; the assembler knows the order of the fields. */
typedef struct tml_depthwise_channel {
  int32_t bias, multiplier, out_zero;
  uint32_t channels;       /* bytes from an output pixel to the next */
  uint32_t out_row;        /* bytes from an output row to the next */
  const uint32_t *scratch; /* at the channel's first word */
  uint32_t pitch;          /* bytes from a pair of rows to the next */
  int8_t *y;
  uint32_t rows, columns; /* of the output */
  const int8_t *weights;  /* [9] in the packed order */
} tml_depthwise_channel;

typedef void (*tml_depthwise_function)(const tml_depthwise_channel *channel);

/* What a stride decides. */
typedef struct tml_depthwise_shape {
  uint32_t stride;
  uint32_t column_pairs; /* of the scratch */
  uint32_t columns;      /* of the input that the scratch holds */
  tml_depthwise_function function;
} tml_depthwise_shape;

/* Two rows of one column, four channels of each, to the words of one column. */
static inline void tml_depthwise_column(const int8_t *upper, const int8_t *lower, uint32_t *to) {
  const uint32_t a = tml_load4(upper), b = tml_load4(lower);
  const uint32_t low = tml_pack_low(a, b), high = tml_pack_high(a, b);
  to[0] = tml_sxtb16(low);
  to[2] = tml_sxtb16_ror8(low);
  to[4] = tml_sxtb16(high);
  to[6] = tml_sxtb16_ror8(high);
}

/* Pairs of columns up to `end`: the step is the distance of neighbouring pixels, or 0 for a row of padding. */
static inline uint32_t *tml_depthwise_pairs(const int8_t *upper, uint32_t upper_step, const int8_t *lower,
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
    tml_depthwise_column(upper, lower, to);
    tml_depthwise_column(upper + upper_step, lower + lower_step, to + 1);
    upper += 2 * upper_step;
    lower += 2 * lower_step;
    to += 8;
#endif
  }
  return to;
}

static inline uint32_t *tml_depthwise_at(uint32_t *row, uint32_t column) { return row + column / 2 * 8 + column % 2; }

/* Rows y and y + 1 of the input to a pair of rows of the scratch; rows outside of the input read in_zero. */
static TML_NOINLINE void tml_depthwise_fill(const tml_depthwise_dsp_params *p, const tml_depthwise_shape *s,
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
    tml_depthwise_column(upper, lower, tml_depthwise_at(row, column));
    upper += upper_step;
    lower += lower_step;
    ++column;
    --left;
  }
  row = tml_depthwise_at(row, column);
  row = tml_depthwise_pairs(upper, upper_step, lower, lower_step, row, row + left / 2 * 8);
  if (left % 2 != 0) tml_depthwise_column(upper + (left - 1) * upper_step, lower + (left - 1) * lower_step, row);
}

/* The columns of padding, which no band overwrites. */
static TML_NOINLINE void tml_depthwise_pad(const tml_depthwise_dsp_params *p, const tml_depthwise_shape *s,
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
static TML_NOINLINE void tml_depthwise_clamp(const tml_depthwise_dsp_params *p, int8_t *y, uint32_t pixels,
                                             uint32_t channels) {
  uint32_t c;
  for (; pixels > 0; --pixels, y += p->channels) {
    for (c = 0; c < channels; ++c) y[c] = (int8_t)tml_clamp(y[c], p->clamp_min, p->clamp_max);
  }
}

/* Up to four channels of one image; the scratch holds those from `base` on. */
static TML_NOINLINE void tml_depthwise_block(const tml_depthwise_dsp_params *p, const tml_depthwise_shape *s,
                                             const int8_t *x, int8_t *y, uint32_t *scratch, uint32_t channel) {
  const uint32_t base = tml_min_u32(channel, p->channels - TML_DEPTHWISE_CHANNELS);
  const uint32_t row_words = s->column_pairs * 8, bytes = TML_DEPTHWISE_TAPS + 4u + 4u * p->multiplier_step;
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
      tml_depthwise_fill(p, s, x + base, top + (int32_t)(2 * i), scratch + i * row_words);
    }
    job.rows = rows;
    job.out_row = rows > 1 ? (uint32_t)p->out_w * p->channels : 0;
    for (c = channel; c < base + TML_DEPTHWISE_CHANNELS; ++c) {
      const int8_t *at = p->stream + c * bytes;
      job.bias = (int32_t)tml_load4(at);
      job.multiplier = p->multiplier_step ? (int32_t)tml_load4(at + 4) : p->multiplier;
      job.weights = at + bytes - TML_DEPTHWISE_TAPS;
      job.scratch = scratch + (c - base) * 2;
      job.y = to + c;
      s->function(&job);
    }
    if (p->clamp_min > INT8_MIN || p->clamp_max < INT8_MAX) {
      tml_depthwise_clamp(p, to + channel, rows * p->out_w, base + TML_DEPTHWISE_CHANNELS - channel);
    }
  }
}

static inline int tml_depthwise_run(const tml_context *context, const tml_depthwise_dsp_params *p,
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
  tml_depthwise_pad(p, &s, scratch, (rows * stride + 1) / 2 + 1);
  for (b = 0; b < p->batches; ++b) {
    for (c = 0; c < p->channels; c += TML_DEPTHWISE_CHANNELS) tml_depthwise_block(p, &s, x, y, scratch, c);
    x += (uint32_t)p->in_h * p->in_w * p->channels;
    y += (uint32_t)p->out_h * p->out_w * p->channels;
  }
  return TML_OK;
}

/* The same as the assembler, one tap at a time, for other compilers and for the host. */
static inline int32_t tml_depthwise_tap(const tml_depthwise_channel *p, uint32_t row, uint32_t column) {
  const uint32_t pair = p->scratch[row / 2 * (p->pitch / 4) + column / 2 * 8 + column % 2];
  return (int16_t)(row % 2 ? pair >> 16 : pair);
}

static inline void tml_depthwise_plain(const tml_depthwise_channel *p, uint32_t stride) {
  static const uint8_t order[TML_DEPTHWISE_TAPS] = {0, 2, 7, 1, 3, 5, 4, 6, 8}; /* packed place of a tap */
  uint32_t row, column, i;
  const tml_output output = tml_make_output(0, (int8_t)p->out_zero, INT8_MIN, INT8_MAX);
  for (row = 0; row < p->rows; ++row) {
    for (column = 0; column < p->columns; ++column) {
      int32_t sum = p->bias;
      for (i = 0; i < TML_DEPTHWISE_TAPS; ++i) {
        sum += p->weights[order[i]] * tml_depthwise_tap(p, row * stride + i % 3, column * stride + i / 3);
      }
      p->y[row * p->out_row + column * p->channels] = tml_finish(tml_scale_high(sum, p->multiplier), output);
    }
  }
}

#endif
