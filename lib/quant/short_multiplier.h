// Requantization factors of a layer as short codes times one power of two: a kernel for small cores reads a channel's
// bias and code from one word. The quantizer chooses weight scales for which this is exact; lowering recognises them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace tinyml {

constexpr int kShortCodeBits = 10;
constexpr int kShortBiasBits = 32 - kShortCodeBits;  // signed, of the same word
constexpr int kShortCodeBelow = 0x155500;  // a third of a code's unit, 2^22, but its low byte, where the shift stands

// The layer's unit, a power of two: the smallest of which the largest factor is at most 2^kShortCodeBits - 1, rounded.
double short_unit(double largest);

// The factor of a code: (code + 1/3) units, to be exact the integer that the kernels make of it
// (kernels/channel_word.h) over 2^32. Were it a multiple of the unit, sums would fall half way between two outputs,
// where ONNX Runtime rounds to even. 0 where the unit is too large or too small for the kernels.
double short_factor(double unit, int code);

// Makes every factor that of a code where all of them are that already but for the rounding of the float32 scales that
// they come from. Else, and where one is not positive, false and nothing changes.
bool snap_to_short(std::span<double> factors);

// What a layer's outputs allow: see choose_short_factors.
struct ShortNeeds {
  std::size_t taps = 0;             // weights of an output
  std::span<const double> offsets;  // bias with the input's zero point folded in, in output steps, per factor
  double bias_margin = 0;           // accumulator steps by which the integer bias may be larger
  // How much the outputs of a channel, by its index, err with a factor in the place of its own: to have least of.
  std::function<double(std::size_t channel, double factor)> error;
};

// Replaces factors (input scale * weight scale / output scale) by those of codes, from which the weight scales follow:
// of those near by the one of the least error, but so large that the largest weight does not clip and the bias fits its
// bits. A factor that is small beside the layer's largest loses precision, and may: counted in output steps its
// weights' error is as small. False and nothing changed where the variance of some output's error, its own rounding
// included, would grow by more than a tenth.
bool choose_short_factors(std::span<double> factors, const ShortNeeds& needs);

}  // namespace tinyml
