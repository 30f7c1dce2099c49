// Where the input and output channels are in a weight tensor, groups and depthwise convolution included.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/ops/op_def.h"

namespace tinyml {

struct WeightAxes {
  std::int64_t out_channels = 0, in_channels = 0, groups = 1;
  // Of the weight tensor: [before][d0][d1][inner] with the two channel axes first.
  std::int64_t d1 = 0, inner = 0;
  bool out_first = true;  // axis 0 is the output channel (Conv, Gemm with transB); else axis 1 is

  struct Place {
    std::int64_t out, in;
  };
  Place locate(std::int64_t element) const;  // channels of one element by its row-major index
};

// Whether a bias, of any rank, is one value per output channel, or one for all.
bool fits_output_channels(const Tensor& bias);

// nullopt when the weights have fewer than two axes or a form that is not known (a batched MatMul).
std::optional<WeightAxes> weight_axes(const NodeView& node, const QuantRule& rule);

}  // namespace tinyml
