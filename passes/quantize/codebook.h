// A layer's codebook: at most 16 int8 integers for all of its weights, which the channels' scales (or the one of the
// layer) multiply, so that the device keeps half a byte a weight and one table a layer. In the ONNX file the weights
// are plain int8.
#pragma once

#include "lib/quant/least_squares.h"
#include "lib/quant/params.h"
#include "passes/quantize/layer_moments.h"

namespace tinyml {

// Each weight to the nearest entry of the table that is best for weights of equal importance.
Tensor nearest_codebook_weights(const Tensor& weights, const QuantParams& params);

// The channels of a layer while a table for them is sought.
struct CodebookLayer {
  const WeightRows& rows;
  const std::vector<double>& weights;           // real ones [outputs][inputs]
  const std::vector<ChannelRounder>& rounders;  // by group
  const QuantParams& params;                    // at whose scales the largest weight of a channel is 127
};
// The table for weights whose importance is what they do to the layer's output.
std::vector<int> first_codebook(const CodebookLayer& layer);
// Entries of least error for the channels' present choices of an entry.
std::vector<int> fitted_codebook(const CodebookLayer& layer, const std::vector<RoundedChannel>& channels,
                                 const std::vector<int>& table);

}  // namespace tinyml
