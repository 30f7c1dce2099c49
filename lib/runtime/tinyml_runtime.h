/* tinyml_runtime.h: the one public header of the microcontroller runtime.
 *
 * C99 (and C++), no heap, no mutable globals, re-entrant: all state is in one caller-supplied arena. A model is a
 * constant table of steps; each step names a kernel, its constant parameter record and the arena offsets of its
 * operands. Emitted sources and the host simulation run the same table through the same kernels, so that host and
 * device agree bit for bit. Kernels that no table names are not linked.
 *
 * Conventions
 *   layout      activations are dense, channels last (NHWC); a one-dimensional signal is NHWC with H = 1
 *   int8 value  real = scale * (q - zero), q in [-128, 127]; weights are symmetric (zero = 0), q in [-128, 127] too
 *   requantize  y = zero_out + floor(acc * multiplier / 2^(32 - shift) + 1/2), clamped to [clamp_min, clamp_max];
 *               0 <= multiplier < 2^31, 0 <= shift <= 23; exact for every int32 acc (no wrap before the clamp); see
 *               tml_requantize in tml_internal.h
 *   accumulator int32; whoever builds the records sees to it that no partial sum leaves it: for convolution and fully
 *               connected |bias| + 128 * sum |weights| < 2^31 for each output channel (conv_transpose 255 * sum, from
 *               16-bit inputs 2^15 * sum, but for conv2d_wide), for matmul |bias| + 2^16 * k < 2^31
 *   bias        int32 with -zero_in * sum(weights) already added; a padded tap therefore reads zero_in
 *   operands    operands[i] is a byte offset into the arena: inputs first, then outputs, then scratch. The output of
 *               lut, prelu, sum, softmax, log_softmax and of a binary kernel may be exactly an input (for a binary
 *               kernel one that is not broadcast). Convolutions (not transposed), pools and fully connected layers go
 *               through their outputs in raster order, so y may also overlap x from below, by a distance that the shape
 *               gives: see raster_distance in lib/device/overlap.h. Otherwise output and input must not overlap
 */
#ifndef TINYML_RUNTIME_H
#define TINYML_RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TML_OK 0
#define TML_ERROR_ARGUMENT (-1) /* a null pointer, or an arena that is not aligned to TML_ARENA_ALIGN */
#define TML_ERROR_INDEX (-2)    /* an index tensor holds a value outside of the axis */
#define TML_ARENA_ALIGN 16

/* What every kernel is given: where the buffers are. */
typedef struct tml_context {
  uint8_t *arena;
  uint8_t *slow_arena; /* the second memory region of a model that has two; else not read */
} tml_context;

typedef int (*tml_kernel)(const tml_context *context, const void *params, const uint32_t *operands);

typedef struct tml_step {
  tml_kernel kernel;
  const void *params;       /* the kernel's own parameter record, below */
  const uint32_t *operands; /* arena offsets: inputs, outputs, scratch */
} tml_step;

/* Runs steps[0..count) in order. Returns TML_OK or the first kernel's error. */
int tml_run(const tml_step *steps, uint32_t count, const tml_context *context);

/* The same for a model whose buffers are spread over two memory regions, such as tightly coupled and external RAM: an
 * operand whose offset has this bit set stands in context->slow_arena, aligned as the arena. operand_counts[i], at most
 * TML_MOST_OPERANDS, is the length of steps[i].operands. The kernels know of one base address only, so each step's
 * offsets are first made relative to the lower arena; the two lie less than 2^32 bytes apart. */
#define TML_IN_SLOW_ARENA 0x80000000u
#define TML_MOST_OPERANDS 16
int tml_run_two_arenas(const tml_step *steps, const uint8_t *operand_counts, uint32_t count,
                       const tml_context *context);

/* ---- convolution -------------------------------------------------------------------------------------------- */

/* conv2d: weights [out_c][kernel_h][kernel_w][in_c / groups].
 * depthwise_conv2d: groups = in_c, weights [kernel_h][kernel_w][out_c]; channel c reads input c / (out_c / in_c).
 * conv_transpose2d: weights [out_c][kernel_h][kernel_w][in_c / groups]; input pixel (y, x) adds to output
 *   (y * stride_h - pad_top + ky * dilation_h, x * stride_w - pad_left + kx * dilation_w). Needs no scratch: every
 *   output gathers its inputs. Taps that fall outside add nothing, so its bias holds no zero-point term; the kernel
 *   subtracts in_zero from each input. */
typedef struct tml_conv2d_params {
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
  uint16_t pad_top, pad_left; /* bottom and right follow from the output size */
  uint8_t multiplier_step;    /* 1: per-channel multipliers, 0: one for all */
  uint8_t shift;
  int8_t in_zero, out_zero;
  int8_t clamp_min, clamp_max;
  uint16_t out_gap; /* bytes between a pixel's outputs and the next pixel's; groups = 1, not depthwise */
} tml_conv2d_params;

int tml_conv2d_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_depthwise_conv2d_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_conv_transpose2d_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* The same with weights of at most 16 distinct values, two to a byte; bits as of the int8 kernel on the values. Packed
 * arrays (here `weights`, below `stream`) are described in lib/runtime/kernels/nibbles.h; they state how many output
 * channels are decoded at a time, `group`. operands: x, y, scratch.
 *   conv2d     group channels at a time, for all pixels: unless group = out_c, y must not overlap x. Codes of a group's
 *              weights follow each other. Scratch: 80 + group * kernel_h * kernel_w * in_c / groups bytes
 *   depthwise  all weights at once. Scratch: kernel_h * kernel_w * out_c bytes */
int tml_conv2d_w4(const tml_context *context, const void *params, const uint32_t *operands);
int tml_depthwise_conv2d_w4(const tml_context *context, const void *params, const uint32_t *operands);

/* Convolution for cores with the DSP extension (Cortex-M4, M7, M33); any core computes the same. groups = 1, shift <= 8
 * (a sum shifted to the left keeps all its bits).
 *   stream    weights, biases and multipliers as lib/device/pack_product_dsp.cpp lays them out
 *   residual  may be added to the result as tml_add_s8 does: y = add_zero + (add_bias + result * add_multiplier +
 *             residual * residual_multiplier) >> add_shift, clamped to [add_min, add_max]; add_bias = 2^(add_shift - 1)
 *             - out_zero * add_multiplier - residual_zero * residual_multiplier; add_shift = 0: there is none, and
 *             add_bias is the number of bytes between a pixel's outputs and the next pixel's (without clamp, if > 0)
 *   operands  x, [residual, shaped as y,] y, scratch (aligned to 4). The residual may be exactly y. y may overlap x:
 *             outputs are written three pixels at a time in raster order, after all that these three read
 *   scratch   6 K bytes, K = kernel_h * kernel_w * in_c rounded up to a multiple of 4; 3 K + 12 more unless nothing is
 *             padded, kernel_w * in_c is a multiple of 4 and dilation_w is 1; with a residual 3 * out_c more, rounded
 *             up to a multiple of 4 */
typedef struct tml_conv2d_dsp_params {
  const uint32_t *stream;
  int32_t add_bias, add_multiplier, residual_multiplier;
  uint16_t batches;
  uint16_t in_h, in_w, in_c;
  uint16_t out_h, out_w, out_c;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t dilation_h, dilation_w;
  uint16_t pad_top, pad_left;
  uint8_t shift;
  int8_t in_zero, out_zero;
  int8_t clamp_min, clamp_max;
  uint8_t add_shift;
  int8_t add_zero, add_min, add_max;
} tml_conv2d_dsp_params;

int tml_conv2d_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* The same with the multiplier of each channel as a code of 10 bits in the word of its bias (kernels/channel_word.h);
 * shift, 1 to 22, is then that of the codes, and the accumulator's is 0. */
int tml_conv2d_short_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* The same with packed weights. The stream's blocks have their weights as codes and all else as above. Scratch:
 * 80 bytes, the stream of a group (short: one word more), then the above. Unless group = out_c, y must not overlap x
 * and there is no residual. */
int tml_conv2d_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_conv2d_short_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* The same for cores with Helium (Cortex-M55, M85); any core computes the same. stream: as
 * lib/device/pack_product_mve.cpp lays it out, four channels to a block; the rest of the record means the same.
 * operands: x, [residual,] y, and scratch where there is any. A 1x1 convolution without padding of in_c % 8 == 0
 * channels reads its pixels where they stand: then scratch is 2 * out_c bytes with a residual, none without, and y may
 * overlap x where each pair of pixels is written behind nothing that is yet to be read, the pair itself included. Else
 * the scratch has 2 * K bytes more, K = kernel_h * kernel_w * in_c rounded up to a multiple of 8, and y may overlap x:
 * outputs are written two pixels at a time in raster order, after all that these two read. */
int tml_conv2d_s8_mve(const tml_context *context, const void *params, const uint32_t *operands);
int tml_conv2d_w4_mve(const tml_context *context, const void *params, const uint32_t *operands); /* as w4_dsp */

/* Depthwise 3x3 for cores with the DSP extension, stride 1 (depthwise3x3) and 2 (depthwise3x3_stride2): any padding, 4
 * channels or more, one output per input channel, shift 0, no dilation. Operands: x, y, scratch (aligned to 4).
 * stream: per channel bias (4 bytes, little endian), multiplier (4 bytes, unless multiplier_step is 0), 9 weights: taps
 * (row, column) in the order 00 01 10 11 02 21 12 20 22. With a code_shift of 1 to 22, as in tml_conv2d_short_s8_dsp:
 * the word of bias and code, 9 weights.
 * band_rows: output rows that are computed from one filling of the scratch; for stride 1 even, or out_h and more.
 * Scratch: 32 * column_pairs * pair_rows bytes, with rows = min(band_rows, out_h) and divisions rounded down; stride 1:
 * (out_w + 3) / 2 column pairs, (rows + 1) / 2 + 1 pair rows; stride 2: out_w + 1 and rows + 1.
 * y may start exactly where x starts if out_h <= in_h, out_w <= in_w and pad_top <= 2. */
typedef struct tml_depthwise_dsp_params {
  const int8_t *stream;
  int32_t multiplier; /* of all channels when multiplier_step is 0 */
  uint16_t batches;
  uint16_t in_h, in_w, channels;
  uint16_t out_h, out_w;
  uint16_t pad_top, pad_left;
  uint16_t band_rows;
  uint8_t multiplier_step, code_shift;
  int8_t in_zero, out_zero;
  int8_t clamp_min, clamp_max;
} tml_depthwise_dsp_params;

int tml_depthwise3x3_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_depthwise3x3_stride2_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* The same with packed weights: for each channel bias and multiplier as above, then the codes of its weights. Scratch:
 * the whole stream of the above, rounded up to a multiple of 4 bytes, then its scratch. */
int tml_depthwise3x3_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_depthwise3x3_stride2_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* Depthwise convolution for cores with Helium; any core computes the same. One image, one output channel per input
 * channel, shift = 0. stream: for each channel its bias, its multiplier, then the kernel_h * kernel_w weights in bytes,
 * followed by one to four zeros up to a whole word. Outputs are computed in blocks of four, block_h x block_w = 2x2,
 * 1x4 or 4x1, not larger than the output. The inputs of a block, or with halves = 2 those of its first two and of its
 * last two outputs, are at most 16 and at most 255 bytes apart in a padded plane (plane_h x plane_w: the input with its
 * padding, or what the outputs reach, whichever is more). 8 * channels < 2^16. operands: x, y (may be exactly x, also
 * where the sizes differ), scratch (aligned to 4): plane_h * plane_w rounded up to 4, and 8 bytes per block. */
typedef struct tml_depthwise_mve_params {
  const uint32_t *stream;
  uint16_t in_h, in_w, channels;
  uint16_t out_h, out_w;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t dilation_h, dilation_w;
  uint16_t pad_top, pad_left;
  uint8_t block_h, block_w, halves;
  int8_t in_zero, out_zero;
  int8_t clamp_min, clamp_max;
} tml_depthwise_mve_params;

int tml_depthwise_conv2d_s8_mve(const tml_context *context, const void *params, const uint32_t *operands);
int tml_depthwise_conv2d_w4_mve(const tml_context *context, const void *params,
                                const uint32_t *operands); /* likewise */

/* ---- matrix products ---------------------------------------------------------------------------------------- */

/* y[rows][out_features] = x[rows][in_features] * weights[out_features][in_features]^T + bias. */
typedef struct tml_fully_connected_params {
  const int8_t *weights;
  const int32_t *bias;
  const int32_t *multipliers; /* [out_features], or [1] when multiplier_step is 0 */
  uint32_t rows, in_features, out_features;
  uint8_t multiplier_step;
  uint8_t shift;
  int8_t in_zero, out_zero;
  int8_t clamp_min, clamp_max;
} tml_fully_connected_params;

int tml_fully_connected_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* The same with packed weights, in pairs of channels: for each tap 2 * odd + even / 8 + 8, or with a codebook the codes
 * of both, 16 * odd + even. */
int tml_fully_connected_w4(const tml_context *context, const void *params, const uint32_t *operands);

/* Fully connected for cores with the DSP extension; any core computes the same. shift = 0; of the short kernels that of
 * the codes, as in tml_conv2d_short_s8_dsp.
 *   stream    as lib/device/pack_product_dsp.cpp lays it out, four channels to a block
 *   operands  x, y, scratch of 2 * in_features bytes, in_features rounded up to a multiple of 4. A row is read before
 *             its outputs are written: y may overlap x
 *   lean      takes no scratch, in_features must be a multiple of 4 and y must not overlap x */
typedef struct tml_fully_connected_dsp_params {
  const uint32_t *stream;
  uint32_t rows, in_features, out_features;
  int8_t out_zero, clamp_min, clamp_max;
  uint8_t shift;
} tml_fully_connected_dsp_params;

int tml_fully_connected_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_fully_connected_lean_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_fully_connected_short_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_fully_connected_lean_short_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* The same for cores with Helium. stream: as lib/device/pack_product_mve.cpp lays it out, eight channels to a block.
 * operands: x, y, and if in_features is no multiple of 8 a scratch of that many bytes, rounded up to 8. y must not
 * overlap x. */
int tml_fully_connected_s8_mve(const tml_context *context, const void *params, const uint32_t *operands);

/* The same for int4 weights, eight times an int4 each, packed as fully_connected_w4_dsp.c and _mve.c say.
 *   dsp  scratch of 2 * in_features bytes, in_features rounded up to a multiple of 8; y may overlap x as above
 *   mve  scratch of in_features bytes, rounded up to a multiple of 16, unless it is one; y must not overlap x */
int tml_fully_connected_w4_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_fully_connected_w4_mve(const tml_context *context, const void *params, const uint32_t *operands);

/* For each i in batches, y[i] (m x n) = a[i] (m x k) * b[i] (k x n) + bias, both operands with a zero point. A batch
 * stride (in elements) of 0 broadcasts. The row and column strides (in elements) allow a transposed operand. A constant
 * operand stands in a_const / b_const (then its operands[] entry is unused), else those are null. */
typedef struct tml_matmul_params {
  const int8_t *a_const, *b_const;
  const int32_t *bias; /* [n], or null; |bias| + 2^16 * k < 2^31 */
  uint32_t batches, m, k, n;
  uint32_t a_batch_stride, a_row_stride, a_col_stride;
  uint32_t b_batch_stride, b_row_stride, b_col_stride;
  int32_t multiplier;
  uint8_t shift;
  int8_t a_zero, b_zero, out_zero;
  int8_t clamp_min, clamp_max;
} tml_matmul_params;

int tml_matmul_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* ---- elementwise -------------------------------------------------------------------------------------------- */

/* y[i] = table[x[i] + 128]: every function of one int8 value, requantization included. Output may be the input. */
typedef struct tml_lut_params {
  const int8_t *table; /* [256] */
  uint32_t count;
} tml_lut_params;

int tml_lut_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_lut_s8_mve(const tml_context *context, const void *params, const uint32_t *operands); /* for Helium */
int tml_lut_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands); /* Cortex-M4, M7, M33 */

#define TML_MAX_DIMS 6

/* Two operands with broadcasting. Output index (i0..i5) runs over dims in row-major order; operand strides are in
 * elements, 0 where it is broadcast. A constant operand stands in a_const / b_const (then operands[] still has two
 * input entries, the constant's unused); else those are null.
 *   add: y = zero_out + ((a - a_zero) * a_multiplier + (b - b_zero) * b_multiplier + 2^(shift-1)) >> shift,
 *        |multipliers| <= 2^21 and 1 <= shift <= 30, so that 32 bits suffice; subtraction has b_multiplier < 0
 *   mul: acc = (a - a_zero) * (b - b_zero), requantized with a_multiplier and shift (b_multiplier unused)
 *   min, max: the smaller (larger) of the two products of `add`, then rounded and shifted alike
 *   div: y = zero_out + ((a - a_zero) * (int64) table[b + 128] + 2^(shift-1)) >> shift, 1 <= shift <= 62; the table
 *        holds 256 reciprocals
 *   pow: y = zero_out + sign * round(2^(((b - b_zero) * (int64) table[a + 128] + a_multiplier) / 2^23)); the table
 * holds 256 times log2|a| * b_scale * 2^23, saturated (of zero: -(2^31 - 1)), then 65 times 2^30 * 2^(i / 64) as
 *        uint32, interpolated linearly, then 16 words with 2 bits per exponent b + 128, lowest first: 0 even, 1 odd,
 *        2 no integer. A base below zero gives sign -1 for odd exponents, clamp_min where there is no real power.
 *        a_multiplier = -log2(out_scale) * 2^23 */
typedef struct tml_binary_params {
  const int8_t *a_const, *b_const;
  const int32_t *table; /* div and pow only */
  uint32_t dims[TML_MAX_DIMS];
  uint32_t a_strides[TML_MAX_DIMS], b_strides[TML_MAX_DIMS];
  int32_t a_multiplier, b_multiplier;
  uint8_t shift;
  int8_t a_zero, b_zero, out_zero;
  int8_t clamp_min, clamp_max;
} tml_binary_params;

int tml_add_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_mul_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_div_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_pow_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_min_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_max_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* For Helium. When dimensions that are regular on both sides are one, an operand is dense along the last and the other
 * dense, too, or broadcast. mul: shift <= 14. */
int tml_add_s8_mve(const tml_context *context, const void *params, const uint32_t *operands);
int tml_mul_s8_mve(const tml_context *context, const void *params, const uint32_t *operands);
/* The same for cores with the DSP extension (Cortex-M4, M7, M33). Along the innermost axis that is no 1 the operands'
 * strides are 0 or 1, not both 0. The conditions keep sums in 32 and results in 16 bits.
 *   add  shift >= 16 and 255 * (|a_multiplier| + |b_multiplier|) + (out_zero + 128.5) * 2^shift < 2^31
 *   mul  shift = 0 */
int tml_add_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_mul_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);

/* Sum of n dense operands of one size: the n-ary form of add. acc = sum (x_i - zeros[i]) * multipliers[i], with
 * sum |multipliers| <= 2^22, 1 <= shift <= 30; y = out_zero + (acc + 2^(shift-1)) >> shift. */
typedef struct tml_sum_params {
  const int32_t *multipliers; /* [inputs] */
  const int8_t *zeros;        /* [inputs] */
  uint32_t inputs, count;
  uint8_t shift;
  int8_t out_zero, clamp_min, clamp_max;
} tml_sum_params;

int tml_sum_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* y = requantize(x - in_zero, x >= in_zero ? positive : negative[i % period]). The negative multipliers may be below
 * zero, as the slope of PRelu may be (|negative| < 2^31); the formula of requantize holds as it stands. */
typedef struct tml_prelu_params {
  const int32_t *negative; /* [period] */
  uint32_t count, period;
  int32_t positive;
  uint8_t shift;
  int8_t in_zero, out_zero, clamp_min, clamp_max;
} tml_prelu_params;

int tml_prelu_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* ---- softmax ------------------------------------------------------------------------------------------------ */

/* Over `depth` elements that are `inner` apart, for outer x inner rows.
 * exp_table[d] = round(2^24 * exp(-d * in_scale)), d = max - x; d >= table_size counts as 0 (below 2^-25).
 * softmax: y = out_zero + round(e / sum / out_scale), with out_multiplier = round(2^16 / out_scale) (1/256: 2^24),
 *   computed as factor = floor((out_multiplier * 2^24 + floor(sum / 2)) / sum), y = out_zero + (e * factor + 2^39)
 * >> 40. log_softmax: y = out_zero + round(((x - max) * in_scale - ln(sum)) / out_scale); x_multiplier = in_scale /
 * out_scale and ln2_multiplier = ln 2 / out_scale, both times 2^16; log2_table[i] = round(2^16 * log2(1 + i / 64)), i =
 * 0..64, interpolated linearly between entries. Computed as y = out_zero + ((x - max) * x_multiplier * 2^16 - log2(sum
 * / 2^24) * ln2_multiplier + 2^31) >> 32, log2 in 16.16. depth < 2^24. */
typedef struct tml_softmax_params {
  const uint32_t *exp_table;
  const uint32_t *log2_table; /* [65], log_softmax only */
  uint32_t outer, depth, inner;
  uint32_t table_size;
  int32_t out_multiplier;               /* softmax */
  int32_t x_multiplier, ln2_multiplier; /* log_softmax */
  int8_t out_zero, clamp_min, clamp_max;
} tml_softmax_params;

int tml_softmax_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_softmax_s8_mve(const tml_context *context, const void *params,
                       const uint32_t *operands); /* Helium, inner = 1 */
/* For Cortex-M4, M7, M33: inner = 1, depth >= 4, no clamp, and table_size is 256 or the last entry of exp_table is 0.
 */
int tml_softmax_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_log_softmax_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* ---- pooling and reduction ---------------------------------------------------------------------------------- */

/* avg_pool2d: acc = sum over the n taps inside of (x - in_zero), requantized with multipliers[n - count_min] (which
 *   hold s_in / s_out / n, or / (kernel_h * kernel_w) when padding counts).
 * max_pool2d: maximum of the taps inside; input and output share scale and zero point (multipliers unused). */
typedef struct tml_pool2d_params {
  const int32_t *multipliers;
  uint16_t batches;
  uint16_t in_h, in_w, channels;
  uint16_t out_h, out_w;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t dilation_h, dilation_w;
  uint16_t pad_top, pad_left;
  uint16_t count_min;
  uint8_t shift;
  int8_t in_zero, out_zero;
  int8_t clamp_min, clamp_max;
} tml_pool2d_params;

int tml_avg_pool2d_s8(const tml_context *context, const void *params, const uint32_t *operands);
/* For Helium; average: shift = 0. */
int tml_avg_pool2d_s8_mve(const tml_context *context, const void *params, const uint32_t *operands);
int tml_max_pool2d_s8_mve(const tml_context *context, const void *params, const uint32_t *operands);
/* For cores with the DSP extension (Cortex-M4, M7, M33): 4 channels or more; average: kernel_w <= 255. */
int tml_avg_pool2d_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_max_pool2d_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands);
int tml_max_pool2d_s8(const tml_context *context, const void *params, const uint32_t *operands);

#define TML_MAX_REDUCE_DIMS 4

/* For each kept index (row-major over keep_dims, dense output): over reduce_dims, strides in elements.
 * sum: acc = sum (x - in_zero), requantized (a mean has its 1/n in the multiplier). max, min: same parameters in
 * and out. */
typedef struct tml_reduce_params {
  uint32_t keep_dims[TML_MAX_REDUCE_DIMS], keep_strides[TML_MAX_REDUCE_DIMS];
  uint32_t reduce_dims[TML_MAX_REDUCE_DIMS], reduce_strides[TML_MAX_REDUCE_DIMS];
  int32_t multiplier;
  uint8_t shift;
  int8_t in_zero, out_zero, clamp_min, clamp_max;
} tml_reduce_params;

int tml_reduce_sum_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_reduce_max_s8(const tml_context *context, const void *params, const uint32_t *operands);
int tml_reduce_min_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* Index of the largest element of `depth` ones that are `inner` apart; the first of equals, or the last. Writes
 * int64 (out_bytes 8) or int32 (4). */
typedef struct tml_argmax_params {
  uint32_t outer, depth, inner;
  uint8_t out_bytes;
  uint8_t select_last;
} tml_argmax_params;

int tml_argmax_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* ---- moving data -------------------------------------------------------------------------------------------- */

/* out[out_offset + sum i_k * out_strides[k]] = table(in[in_offset + sum i_k * in_strides[k]]) over dims. Strides and
 * offsets are in bytes; elements are element_bytes wide (1, 2, 4, 8). table (of 256 int8, for element_bytes 1)
 * requantizes; null copies. One kernel for Transpose, Concat, Split, Slice, Expand and Tile. With in_const the input is
 * that constant, and operands[0] is unused. */
typedef struct tml_copy_params {
  const int8_t *in_const;
  const int8_t *table;
  uint32_t dims[TML_MAX_DIMS];
  int32_t in_strides[TML_MAX_DIMS], out_strides[TML_MAX_DIMS];
  uint32_t in_offset, out_offset;
  uint8_t element_bytes;
} tml_copy_params;

int tml_copy(const tml_context *context, const void *params, const uint32_t *operands);

#define TML_MAX_REMAP_DIMS 5

/* out[i0..] = in[index[0][i0]..]: a null index is the identity, an index of -1 yields `fill`. One kernel for Pad
 * (constant, edge, reflect, wrap), Resize (nearest) and Gather with constant indices. Dense in and out. */
typedef struct tml_remap_params {
  const int16_t *index[TML_MAX_REMAP_DIMS];
  uint32_t in_dims[TML_MAX_REMAP_DIMS], out_dims[TML_MAX_REMAP_DIMS];
  int16_t fill; /* beyond int8 for tml_remap_s16 only */
} tml_remap_params;

int tml_remap_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* out[o][j][i] = in[o][indices[j]][i]; operands: data, indices, out. Negative indices count from the end. The data may
 * be a constant (embedding table): data_const is then not null. Returns TML_ERROR_INDEX for an index out of range. */
typedef struct tml_gather_params {
  const int8_t *data_const;
  uint32_t outer, axis, count, inner;
  uint8_t index_bytes; /* 4 or 8 */
} tml_gather_params;

int tml_gather_s8(const tml_context *context, const void *params, const uint32_t *operands);

/* Bilinear: rows y_low[oy] and y_high[oy] with weight y_weight[oy] / 2048 on the high one; columns alike. acc is the
 * sum of (x - in_zero) * weights, 2^22 for one. multiplier and shift hold s_in / s_out alone: y = out_zero +
 * floor(acc * multiplier / 2^(54 - shift) + 1/2). */
typedef struct tml_resize_linear_params {
  const uint16_t *y_low, *y_high, *y_weight; /* [out_h] */
  const uint16_t *x_low, *x_high, *x_weight; /* [out_w] */
  uint16_t batches, in_h, in_w, out_h, out_w, channels;
  int32_t multiplier;
  uint8_t shift;
  int8_t in_zero, out_zero, clamp_min, clamp_max;
} tml_resize_linear_params;

int tml_resize_linear_s8(const tml_context *context, const void *params, const uint32_t *operands);

#ifdef __cplusplus
}
#endif
#endif
