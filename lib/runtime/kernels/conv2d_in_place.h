/* conv2d_in_place.h: which convolutions the Helium kernel reads where they stand, without patches in scratch. The
 * kernel and lib/device/pack_conv2d_mve.cpp, which plans scratch and overlap, both ask here.
 */
#ifndef TINYML_KERNELS_CONV2D_IN_PLACE_H
#define TINYML_KERNELS_CONV2D_IN_PLACE_H

#include "../tinyml_runtime.h"

static inline int tml_conv2d_reads_in_place(const tml_conv2d_dsp_params *p) {
  return p->kernel_h == 1 && p->kernel_w == 1 && p->in_c % 8 == 0 && p->pad_top == 0 && p->pad_left == 0 &&
         (p->out_h - 1) * p->stride_h < p->in_h && (p->out_w - 1) * p->stride_w < p->in_w;
}

#endif
