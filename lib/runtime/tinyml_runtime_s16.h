/* tinyml_runtime_s16.h: the records of the kernels with 16-bit activations and 8-bit weights (16x8).
 *
 *   int16 value  real = scale * q, q in [-32768, 32767]; the zero point is 0, so padding adds nothing
 *   weights      int8 in [-127, 127]; bias int32
 *   requantize   y = floor(acc * multiplier / 2^(32 - shift) + 1/2), clamped; |multiplier| < 2^31, 0 <= shift <= 15;
 *                one rounding, exact for every acc of its type (tml_requantize_s16 in kernels/s16.h)
 *   accumulator  int32 where whoever builds the records has proved from the weights themselves that no partial sum
 *                leaves it (|bias| + 2^15 * sum |w| < 2^31 for each channel); the kernels named wide keep 64 bits
 *   operands     as in tinyml_runtime.h; buffers of int16 are aligned to 2
 */
#ifndef TINYML_RUNTIME_S16_H
#define TINYML_RUNTIME_S16_H

#include "tinyml_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Layouts as in tml_conv2d_params: conv2d has weights [out_c][kernel_h][kernel_w][in_c / groups], depthwise_conv2d
 * [kernel_h][kernel_w][out_c]. A fully connected layer is a 1x1 convolution of `rows` pixels. */
typedef struct tml_conv2d_s16_params {
  const int8_t *weights;
  const int32_t *bias;        /* [out_c] */
  const int32_t *multipliers; /* [out_c], or [1] when multiplier_step is 0 */
  uint16_t batches;
  uint16_t in_h, in_w, in_c;
  uint16_t out_h, out_w, out_c;
  uint16_t groups;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t dilation_h, dilation_w;
  uint16_t pad_top, pad_left;
  int16_t clamp_min, clamp_max;
  uint8_t multiplier_step, shift;
} tml_conv2d_s16_params;

int tml_conv2d_s16(const tml_context *context, const void *params, const uint32_t *operands);
int tml_conv2d_wide_s16(const tml_context *context, const void *params, const uint32_t *operands);
int tml_depthwise_conv2d_s16(const tml_context *context, const void *params, const uint32_t *operands);
/* For cores with Helium, shift = 0; conv2d: groups = 1, out_c >= 4; depthwise_conv2d: out_c = in_c >= 8. */
int tml_conv2d_s16_mve(const tml_context *context, const void *params, const uint32_t *operands);
int tml_depthwise_conv2d_s16_mve(const tml_context *context, const void *params, const uint32_t *operands);

/* Convolution for cores with the DSP extension (Cortex-M4, M7, M33); any core computes the same. groups = 1, shift = 0.
 *   stream    as lib/device/pack_conv2d_s16_dsp.cpp lays it out: per two channels two biases, the weights of each two
 *             taps as a word (even, odd channel of the first tap, then of the second), two multipliers
 *   operands  x, y, scratch (aligned to 4). y may overlap x: outputs are written three pixels at a time in raster
 *             order, after all that these three read
 *   scratch   12 * K bytes, K = kernel_h * kernel_w * in_c rounded up to a multiple of 4; the second half of it is only
 *             needed if something is padded, kernel_w * in_c is odd or dilation_w is not 1 */
typedef struct tml_conv2d_s16_dsp_params {
  const uint32_t *stream;
  uint16_t batches;
  uint16_t in_h, in_w, in_c;
  uint16_t out_h, out_w, out_c;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t dilation_h, dilation_w;
  uint16_t pad_top, pad_left;
  int16_t clamp_min, clamp_max;
} tml_conv2d_s16_dsp_params;

int tml_conv2d_s16_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* For cores with Helium, out_c % 4 = 0. stream: per four channels four biases, for each eight taps the weights of the
 * channels one after the other, four multipliers. A 1x1 convolution without padding of in_c % 8 = 0 channels takes no
 * scratch; y may overlap x where each pair of pixels is written behind nothing that is yet to be read, the pair itself
 * included. Else the scratch (aligned to 2) has 4 * K bytes, K rounded up to a multiple of 8, and outputs are written
 * two pixels at a time, after all that these two read. */
int tml_conv2d_packed_s16_mve(const tml_context *context, const void *params, const uint32_t *operands);

/* A 1x1 convolution of `rows` pixels, which a fully connected layer is, for the DSP extension: each row by itself.
 *   stream    as lib/device/pack_fully_connected_s16_dsp.cpp lays it out: per four channels four biases; for each two
 *             of K taps, K = in_features rounded up to a multiple of 4, the words of channels 0 and 1, then 2 and 3,
 *             as in tml_conv2d_s16_dsp_params; four multipliers
 *   operands  x, y, scratch (aligned to 4; 2 * K bytes) if in_features is no multiple of 4. y may overlap x: a row's
 *             outputs are written four at a time, and after each four the row is read again */
typedef struct tml_fully_connected_s16_dsp_params {
  const uint32_t *stream;
  uint32_t rows, in_features, out_features;
  int16_t clamp_min, clamp_max;
} tml_fully_connected_s16_dsp_params;

int tml_fully_connected_s16_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* Depthwise 3x3 for cores with the DSP extension: as tml_depthwise_dsp_params says in every respect, of elements of two
 * bytes. y may start exactly where x starts under the same condition. */
typedef struct tml_depthwise_s16_dsp_params {
  const int8_t *stream;
  int32_t multiplier;
  uint16_t batches;
  uint16_t in_h, in_w, channels;
  uint16_t out_h, out_w;
  uint16_t pad_top, pad_left;
  uint16_t band_rows;
  int16_t clamp_min, clamp_max;
  uint8_t multiplier_step;
} tml_depthwise_s16_dsp_params;

int tml_depthwise3x3_s16_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_depthwise3x3_stride2_s16_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* avg_pool2d: acc = sum of the n taps inside, n < 2^16, requantized with multipliers[n - count_min]. max_pool2d: the
 * largest tap inside (multipliers unused); a window that lies outside as a whole gives clamp_min. */
typedef struct tml_pool2d_s16_params {
  const int32_t *multipliers;
  uint16_t batches;
  uint16_t in_h, in_w, channels;
  uint16_t out_h, out_w;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t dilation_h, dilation_w;
  uint16_t pad_top, pad_left;
  uint16_t count_min;
  int16_t clamp_min, clamp_max;
  uint8_t shift;
} tml_pool2d_s16_params;

int tml_avg_pool2d_s16(const tml_context *context, const void *params, const uint32_t *operands);
int tml_max_pool2d_s16(const tml_context *context, const void *params, const uint32_t *operands);

/* Broadcasting as in tml_binary_params.
 *   add: y = floor((a * a_multiplier + b * b_multiplier) / 2^(32 - shift) + 1/2)
 *   mul: y = requantize(a * b) with a_multiplier and shift
 *   min, max: the smaller (larger) of the two products of `add`, rounded alike */
typedef struct tml_binary_s16_params {
  const int16_t *a_const, *b_const;
  uint32_t dims[TML_MAX_DIMS];
  uint32_t a_strides[TML_MAX_DIMS], b_strides[TML_MAX_DIMS];
  int32_t a_multiplier, b_multiplier;
  int16_t clamp_min, clamp_max;
  uint8_t shift;
} tml_binary_s16_params;

int tml_add_s16(const tml_context *context, const void *params, const uint32_t *operands);
int tml_mul_s16(const tml_context *context, const void *params, const uint32_t *operands);
int tml_min_s16(const tml_context *context, const void *params, const uint32_t *operands);
int tml_max_s16(const tml_context *context, const void *params, const uint32_t *operands);

/* y = out_zero + requantize(x - in_zero), clamped: from one grid to another, and every clamp. In the kernel's name the
 * type of x stands first. y may be exactly x unless it is wider. */
typedef struct tml_rescale_params {
  uint32_t count;
  int32_t multiplier;
  int16_t clamp_min, clamp_max;
  int8_t in_zero, out_zero; /* of an int8 side */
  uint8_t shift;
} tml_rescale_params;

int tml_rescale_s8_s16(const tml_context *context, const void *params, const uint32_t *operands);
int tml_rescale_s16_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_rescale_s16(const tml_context *context, const void *params, const uint32_t *operands);

/* A function of one value by linear interpolation: with s = 16 - bits and u = x + 2^15,
 * y = (table[u >> s] * (2^s - u % 2^s) + table[(u >> s) + 1] * (u % 2^s) + 2^(s-1)) >> s. y may be exactly x. */
typedef struct tml_table_s16_params {
  const int16_t *table; /* [2^bits + 1] */
  uint32_t count;
  uint8_t bits; /* 1 to 15 */
} tml_table_s16_params;

int tml_table_s16(const tml_context *context, const void *params, const uint32_t *operands);

/* Over `depth` elements that are `inner` apart. The exponential of a distance d = max - x is e = 2^24 * 2^-t with
 * t = floor(d * x_multiplier / 2^x_shift) in units of 2^-24 (x_multiplier: log2(e) * in_scale), from
 * exp_table[i] = round(2^30 * 2^(-i / 128)), i = 0..128, interpolated linearly: relative error below 2^-17.
 * y = (e * factor + 2^38) >> 39, factor = floor((out_multiplier * 2^24 + floor(sum / 2)) / sum), out_multiplier =
 * round(2^15 / out_scale) < 2^31. depth < 2^24. y may be exactly x. */
typedef struct tml_softmax_s16_params {
  const uint32_t *exp_table; /* [129] */
  uint32_t outer, depth, inner;
  uint32_t x_multiplier;
  int32_t out_multiplier;
  int16_t clamp_min, clamp_max;
  uint8_t x_shift;
} tml_softmax_s16_params;

int tml_softmax_s16(const tml_context *context, const void *params, const uint32_t *operands);

/* As tml_reduce_params. sum: at most 2^16 - 1 elements. */
typedef struct tml_reduce_s16_params {
  uint32_t keep_dims[TML_MAX_REDUCE_DIMS], keep_strides[TML_MAX_REDUCE_DIMS];
  uint32_t reduce_dims[TML_MAX_REDUCE_DIMS], reduce_strides[TML_MAX_REDUCE_DIMS];
  int32_t multiplier;
  int16_t clamp_min, clamp_max;
  uint8_t shift;
} tml_reduce_s16_params;

int tml_reduce_sum_s16(const tml_context *context, const void *params, const uint32_t *operands);

/* As tml_remap_s8 and tml_argmax_s8, with their records; remap fills with `fill` itself. */
int tml_remap_s16(const tml_context *context, const void *params, const uint32_t *operands);
int tml_argmax_s16(const tml_context *context, const void *params, const uint32_t *operands);

#ifdef __cplusplus
}
#endif
#endif
