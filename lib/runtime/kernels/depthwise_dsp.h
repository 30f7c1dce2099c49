/* depthwise_dsp.h: the 3x3 depthwise kernels for cores with the DSP extension (Cortex-M4, M7, M33): the frame is
 * depthwise_dsp_frame.h; a kernel is the function of one channel for one stride.
 *
 * Scratch: word ((pair_row * column_pairs + column / 2) * 4 + channel) * 2 + column % 2 holds the rows 2 * pair_row
 * (low half) and 2 * pair_row + 1 of a column as int16; row 0 and column 0 are the first row and column of the padded
 * input's band.
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

static inline uint32_t *tml_depthwise_at(uint32_t *row, uint32_t column) { return row + column / 2 * 8 + column % 2; }

#if defined(TML_FIXED_SHAPE) /* a frame of its own, that folds the shape */
#include "depthwise_dsp_frame.h"
#define tml_depthwise_dsp_run tml_depthwise_dsp_frame
#else
int tml_depthwise_dsp_run(const tml_context *context, const tml_depthwise_dsp_params *p, const uint32_t *operands,
                          uint32_t stride, tml_depthwise_function function);
#endif

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
