/* conv2d_w4.h: a convolution with packed weights on top of one with int8 weights: the channels of a group at a time,
 * for all pixels. Each weight is decoded once per inference. What differs between cores is the stream of a block.
 */
#ifndef TINYML_KERNELS_CONV2D_W4_H
#define TINYML_KERNELS_CONV2D_W4_H

#include "nibbles.h"

/* The stream of the int8 kernel, block by block: words as they are, words of four weights, words as they are. Packed,
 * the words in the middle have half the size; their number is even. A block may need words of the next one's head. */
typedef struct tml_w4_blocks {
  uint32_t channels, head, middle, tail, next;
  /* Code words to twice as many words of the stream. */
  void (*decode)(const int8_t *table, const uint8_t *codes, uint32_t *to, uint32_t words);
} tml_w4_blocks;

static inline uint32_t tml_w4_block_bytes(const tml_w4_blocks *b) { return 4 * (b->head + b->middle + b->tail); }

static inline const uint8_t *tml_w4_copy(uint32_t *to, const uint8_t *from, uint32_t words) {
  for (; words > 0; --words, from += 4) *to++ = tml_nibbles_load(from);
  return from;
}

static TML_NOINLINE const uint8_t *tml_w4_decode_blocks(const tml_w4_blocks *b, const int8_t *table,
                                                        const uint8_t *from, uint32_t *to, uint32_t blocks) {
  for (; blocks > 0; --blocks) {
    from = tml_w4_copy(to, from, b->head);
    to += b->head;
    b->decode(table, from, to, b->middle / 2);
    from += 2 * b->middle;
    to += b->middle;
    from = tml_w4_copy(to, from, b->tail);
    to += b->tail;
  }
  tml_w4_copy(to, from, b->next);
  return from;
}

static inline void tml_w4_clamp(int8_t *y, uint32_t n, int32_t low, int32_t high) {
  const int8_t *end = y + n;
  if (low == INT8_MIN && high == INT8_MAX) return;
  for (; y != end; ++y) *y = (int8_t)tml_clamp(*y, low, high);
}

/* operands: x, [residual,] y, scratch: the record of a group, its stream, then what the int8 kernel takes. */
static inline int tml_w4_conv2d(const tml_context *context, const tml_conv2d_dsp_params *p, const uint32_t *operands,
                                const tml_w4_blocks *b, tml_kernel kernel) {
  const tml_nibbles packed = tml_nibbles_open(p->stream);
  const uint32_t group = tml_min_u32(packed.group, p->out_c), y = p->add_shift ? 2 : 1;
  tml_conv2d_dsp_params *part = (tml_conv2d_dsp_params *)(void *)tml_operand(context, operands[y + 1]);
  uint32_t *stream = (uint32_t *)(void *)((int8_t *)part + TML_NIBBLES_RECORD);
  const uint8_t *from = packed.codes;
  uint32_t own[4], c, i;
  for (i = 0; i <= y; ++i) own[i] = operands[i];
  own[y + 1] = operands[y + 1] + TML_NIBBLES_RECORD + 4 * b->next +
               (group + b->channels - 1) / b->channels * tml_w4_block_bytes(b);
  *part = *p;
  part->stream = stream;
  if (group < p->out_c) part->clamp_min = INT8_MIN, part->clamp_max = INT8_MAX;
  for (c = 0; c < p->out_c; c += group, own[y] += group) {
    part->out_c = (uint16_t)tml_min_u32(group, p->out_c - c);
    if (group < p->out_c) part->add_bias = p->add_bias + p->out_c - part->out_c;
    from = tml_w4_decode_blocks(b, packed.table, from, stream, (part->out_c + b->channels - 1) / b->channels);
    kernel(context, part, own);
  }
  if (group < p->out_c) {
    tml_w4_clamp(tml_operand(context, operands[y]), (uint32_t)p->batches * p->out_h * p->out_w * p->out_c, p->clamp_min,
                 p->clamp_max);
  }
  return TML_OK;
}

#endif
