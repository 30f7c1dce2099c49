/* conv2d_dsp.h: the frame of the convolutions with SMLAD (conv2d_dsp.c). A kernel is a way to multiply, around which
 * the frame gathers the windows and walks over the pixels.
 */
#ifndef TINYML_KERNELS_CONV2D_DSP_H
#define TINYML_KERNELS_CONV2D_DSP_H

#include "dsp_product.h"

typedef struct tml_dsp_kind {
  void (*product)(const tml_dsp_block *block);
  uint32_t shift;       /* of the block */
  uint32_t block_words; /* of the stream, for two channels */
  uint32_t skip;        /* of the first round of the product's loop, see tml_dsp_block */
} tml_dsp_kind;

/* Taps of an output, rounded up to whole steps. */
static inline uint32_t tml_conv2d_taps(const tml_conv2d_dsp_params *p) {
  return tml_dsp_round_up((uint32_t)p->kernel_h * p->kernel_w * p->in_c);
}

int tml_conv2d_dsp_run(const tml_context *context, const tml_conv2d_dsp_params *p, const uint32_t *operands,
                       const tml_dsp_kind *kind);

#endif
