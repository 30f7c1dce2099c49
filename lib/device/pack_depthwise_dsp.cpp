// Packing, band size and cost of the 3x3 depthwise kernels for the DSP extension; see pack_depthwise_dsp.h.
#include "lib/device/pack_depthwise_dsp.h"

#include <algorithm>
#include <array>

namespace tinyml {
namespace {

constexpr std::size_t kTaps = 9;
// Two SXTB16 of the first word give taps 0 and 1 of columns 0 and 1; of the second, those of column 2 and tap 2 of
// both.
constexpr std::array<std::size_t, kTaps> kOrder = {0, 1, 3, 4, 2, 7, 5, 6, 8};

int column_pairs(const DepthwiseDspShape& s) { return (s.out_w * s.stride + 4 - s.stride) / 2; }
int pair_rows(const DepthwiseDspShape& s, int rows) { return (rows * s.stride + 1) / 2 + 1; }

}  // namespace

std::vector<std::int8_t> pack_depthwise_dsp(std::span<const std::int8_t> weights) {
  std::vector<std::int8_t> packed(weights.size());
  for (std::size_t c = 0; c + kTaps <= weights.size(); c += kTaps)
    for (std::size_t i = 0; i < kTaps; ++i) packed[c + i] = weights[c + kOrder[i]];
  return packed;
}

std::size_t depthwise_dsp_scratch(const DepthwiseDspShape& shape, int band_rows) {
  return 32 * static_cast<std::size_t>(column_pairs(shape)) *
         static_cast<std::size_t>(pair_rows(shape, std::min(band_rows, shape.out_h)));
}

int depthwise_dsp_band_rows(const DepthwiseDspShape& shape, std::size_t budget) {
  const int least = shape.stride == 1 ? 2 : 1;
  int most = shape.out_h;
  while (most > least && depthwise_dsp_scratch(shape, most) > budget) --most;
  if (most >= shape.out_h) return shape.out_h;
  most = std::max(least, most / least * least);
  const int bands = (shape.out_h + most - 1) / most;
  const int even = (shape.out_h + bands - 1) / bands;
  return std::min(most, (even + least - 1) / least * least);
}

double depthwise_dsp_cost(const DepthwiseDspShape&, int) { return 0; }

}  // namespace tinyml
