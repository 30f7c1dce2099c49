// What a linear layer sees and should give, as moments over calibration data: for rounding its weights. The layer's
// inputs come from the graph quantized so far, its outputs from the float graph, so that a layer also makes up for
// errors before it.
#pragma once

#include <optional>
#include <string>

#include "lib/quant/least_squares.h"
#include "passes/quantize/plan.h"
#include "passes/quantize/weight_axes.h"

namespace tinyml {

// A layer's weights as rows of one output channel each, whatever the operator's order.
struct WeightRows {
  WeightAxes axes;
  std::size_t outputs = 0, inputs = 0, groups = 1;  // inputs: weights per output channel
  bool channels_last = false;                       // in the layer's output: a product, else a convolution
  // Index in the tensor of weight `input` of channel `output`.
  std::size_t index(std::size_t output, std::size_t input) const;
};
std::optional<WeightRows> weight_rows(const Graph& graph, const QuantPlan::NodePlan& entry);

struct LayerMoments {
  std::vector<LeastSquares> groups;  // undamped
  std::vector<double> input_means;   // [groups * inputs]; of the terms that the weights multiply
  std::vector<double> output_means;  // [outputs]
  bool centred = false;              // means are taken out of the moments: the layer's bias takes care of them
};

// Why a layer has no moments, so that its weights are rounded to the nearest: it is too wide for a matrix of them, or
// has too many positions for its terms; nullopt: it has them.
std::optional<std::string> reconstruction_obstacle(const Graph& reference, const QuantPlan::NodePlan& entry);

// `quantized` equals `reference` but for parameters and constants; the node's own weights are not read from it.
// nullopt when there is an obstacle.
std::optional<LayerMoments> layer_moments(const Graph& reference, const Graph& quantized,
                                          const QuantPlan::NodePlan& entry, const WeightRows& rows,
                                          const CalibrationData& data, const PassContext& context);

}  // namespace tinyml
