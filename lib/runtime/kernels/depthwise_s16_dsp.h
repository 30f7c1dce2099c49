/* depthwise_s16_dsp.h: the frame of the 3x3 depthwise kernels over int16 for cores with the DSP extension.
 *
 * As depthwise_dsp.h, with the same scratch and the same functions of one channel: only how the scratch is filled and
 * in which type a result is saturated and stored differ. Padding is 0. A clamp at 0, which is what a Relu becomes, is
 * one instruction like the type's own range; any other is applied after the fact.
 */
#ifndef TINYML_KERNELS_DEPTHWISE_S16_DSP_H
#define TINYML_KERNELS_DEPTHWISE_S16_DSP_H

#include "depthwise_dsp.h"
#include "s16.h"

static inline uint32_t tml_depthwise_load_s16(const int16_t *x) {
  uint32_t word;
  memcpy(&word, x, sizeof word);
  return word;
}

/* Two rows of one column, four channels of each, to the words of one column. */
static inline void tml_depthwise_column_s16(const int16_t *upper, const int16_t *lower, uint32_t *to) {
  const uint32_t a = tml_depthwise_load_s16(upper), b = tml_depthwise_load_s16(lower);
  const uint32_t c = tml_depthwise_load_s16(upper + 2), d = tml_depthwise_load_s16(lower + 2);
#if TML_DSP_ASM
  uint32_t low, high;
  __asm__("pkhbt %0, %2, %3, lsl #16\n pkhtb %1, %3, %2, asr #16" : "=&r"(low), "=&r"(high) : "r"(a), "r"(b));
  to[0] = low;
  to[2] = high;
  __asm__("pkhbt %0, %2, %3, lsl #16\n pkhtb %1, %3, %2, asr #16" : "=&r"(low), "=&r"(high) : "r"(c), "r"(d));
  to[4] = low;
  to[6] = high;
#else
  to[0] = tml_pack_low(a, b);
  to[2] = tml_pack_high(a, b);
  to[4] = tml_pack_low(c, d);
  to[6] = tml_pack_high(c, d);
#endif
}

/* Rows y and y + 1 of the input to a pair of rows of the scratch; rows outside of the input read zeros. */
static TML_NOINLINE void tml_depthwise_fill_s16(const tml_depthwise_s16_dsp_params *p, const tml_depthwise_shape *s,
                                                const int16_t *x, int32_t y, uint32_t *row) {
  static const int16_t zeros[TML_DEPTHWISE_CHANNELS] = {0, 0, 0, 0};
  const uint32_t width = (uint32_t)p->in_w * p->channels;
  const int16_t *upper = zeros, *lower = zeros;
  uint32_t upper_step = 0, lower_step = 0, column = p->pad_left, left;
  if (y >= 0 && y < p->in_h) {
    upper = x + (uint32_t)y * width;
    upper_step = p->channels;
  }
  if (y + 1 >= 0 && y + 1 < p->in_h) {
    lower = x + (uint32_t)(y + 1) * width;
    lower_step = p->channels;
  }
  left = s->columns;
  if (column % 2 != 0 && left > 0) {
    tml_depthwise_column_s16(upper, lower, tml_depthwise_at(row, column));
    upper += upper_step;
    lower += lower_step;
    ++column;
    --left;
  }
  row = tml_depthwise_at(row, column);
  for (; left >= 2; left -= 2, row += 8, upper += 2 * upper_step, lower += 2 * lower_step) {
    tml_depthwise_column_s16(upper, lower, row);
    tml_depthwise_column_s16(upper + upper_step, lower + lower_step, row + 1);
  }
  if (left > 0) tml_depthwise_column_s16(upper, lower, row);
}

/* The columns of padding, which no band overwrites. */
static TML_NOINLINE void tml_depthwise_pad_s16(const tml_depthwise_s16_dsp_params *p, const tml_depthwise_shape *s,
                                               uint32_t *scratch, uint32_t pair_rows) {
  uint32_t column;
  for (; pair_rows > 0; --pair_rows, scratch += s->column_pairs * 8) {
    for (column = 0; column < s->column_pairs * 2; ++column) {
      uint32_t *to = tml_depthwise_at(scratch, column);
      if (column - p->pad_left >= s->columns) to[0] = to[2] = to[4] = to[6] = 0;
    }
  }
}

static TML_NOINLINE void tml_depthwise_clamp_s16(const tml_depthwise_s16_dsp_params *p, int16_t *y, uint32_t pixels,
                                                 uint32_t channels) {
  uint32_t c;
  for (; pixels > 0; --pixels, y += p->channels) {
    for (c = 0; c < channels; ++c) y[c] = (int16_t)tml_clamp(y[c], p->clamp_min, p->clamp_max);
  }
}

/* Up to four channels of one image; the scratch holds those from `base` on. */
static TML_NOINLINE void tml_depthwise_block_s16(const tml_depthwise_s16_dsp_params *p, const tml_depthwise_shape *s,
                                                 const int16_t *x, int16_t *y, uint32_t *scratch, uint32_t channel) {
  const uint32_t base = tml_min_u32(channel, p->channels - TML_DEPTHWISE_CHANNELS);
  const uint32_t row_words = s->column_pairs * 8, bytes = TML_DEPTHWISE_TAPS + 4u + 4u * p->multiplier_step;
  const uint32_t kept = p->band_rows * s->stride / 2; /* the pair of rows that two bands share */
  const uint32_t is_clamped = (p->clamp_min != INT16_MIN && p->clamp_min != 0) || p->clamp_max != INT16_MAX;
  tml_depthwise_channel job;
  uint32_t oy;
  job.out_zero = 0;
  job.channels = 2u * p->channels;
  job.pitch = row_words * 4;
  job.columns = p->out_w;
  for (oy = 0; oy < p->out_h; oy += p->band_rows) {
    const uint32_t rows = tml_min_u32(p->band_rows, p->out_h - oy);
    const uint32_t pair_rows = (rows * s->stride + 1) / 2 + 1;
    const int32_t top = (int32_t)(oy * s->stride) - p->pad_top;
    int16_t *to = y + oy * p->out_w * p->channels;
    uint32_t i, c;
    for (i = 0; oy > 0 && i < row_words; ++i) scratch[i] = scratch[kept * row_words + i];
    for (i = oy > 0 ? 1 : 0; i < pair_rows; ++i) {
      tml_depthwise_fill_s16(p, s, x + base, top + (int32_t)(2 * i), scratch + i * row_words);
    }
    job.rows = rows;
    job.out_row = rows > 1 ? 2u * p->out_w * p->channels : 0;
    for (c = channel; c < base + TML_DEPTHWISE_CHANNELS; ++c) {
      const int8_t *at = p->stream + c * bytes;
      job.bias = (int32_t)tml_load4(at);
      job.multiplier = p->multiplier_step ? (int32_t)tml_load4(at + 4) : p->multiplier;
      job.weights = at + bytes - TML_DEPTHWISE_TAPS;
      job.scratch = scratch + (c - base) * 2;
      job.y = (int8_t *)(to + c);
      s->function(&job);
    }
    if (is_clamped) {
      tml_depthwise_clamp_s16(p, to + channel, rows * p->out_w, base + TML_DEPTHWISE_CHANNELS - channel);
    }
  }
}

/* positive: the function of one channel that clamps to [0, 32767]. */
static inline int tml_depthwise_run_s16(const tml_context *context, const void *params, const uint32_t *operands,
                                        uint32_t stride, tml_depthwise_function function,
                                        tml_depthwise_function positive) {
  const tml_depthwise_s16_dsp_params *p = (const tml_depthwise_s16_dsp_params *)params;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  uint32_t *scratch = (uint32_t *)(void *)(context->arena + operands[2]);
  const uint32_t rows = tml_min_u32(p->band_rows, p->out_h);
  tml_depthwise_shape s;
  uint32_t b, c;
  s.stride = stride;
  s.column_pairs = (p->out_w * stride + 4 - stride) / 2;
  s.columns = s.column_pairs * 2 > p->pad_left ? tml_min_u32(p->in_w, s.column_pairs * 2 - p->pad_left) : 0;
  s.function = p->clamp_min >= 0 ? positive : function;
  tml_depthwise_pad_s16(p, &s, scratch, (rows * stride + 1) / 2 + 1);
  for (b = 0; b < p->batches; ++b) {
    for (c = 0; c < p->channels; c += TML_DEPTHWISE_CHANNELS) tml_depthwise_block_s16(p, &s, x, y, scratch, c);
    x += (uint32_t)p->in_h * p->in_w * p->channels;
    y += (uint32_t)p->out_h * p->out_w * p->channels;
  }
  return TML_OK;
}

/* The same as the assembler, one tap at a time, for other compilers and for the host. */
static inline void tml_depthwise_plain_s16(const tml_depthwise_channel *p, uint32_t stride, int32_t low) {
  static const uint8_t order[TML_DEPTHWISE_TAPS] = {0, 2, 7, 1, 3, 5, 4, 6, 8}; /* packed place of a tap */
  uint32_t row, column, i;
  for (row = 0; row < p->rows; ++row) {
    for (column = 0; column < p->columns; ++column) {
      int32_t sum = p->bias;
      int16_t y;
      for (i = 0; i < TML_DEPTHWISE_TAPS; ++i) {
        sum += p->weights[order[i]] * tml_depthwise_tap(p, row * stride + i % 3, column * stride + i / 3);
      }
      y = (int16_t)tml_clamp(tml_scale_high(sum, p->multiplier), low, INT16_MAX);
      memcpy(p->y + row * p->out_row + column * p->channels, &y, sizeof y);
    }
  }
}

#endif
