// Float weights, biases and constant operands of planned nodes become integer constants with parameters.
#pragma once

#include "passes/quantize/prepare.h"

namespace tinyml {

struct WeightsContext {
  const Graph& reference;  // the float graph that `graph` is a copy of
  const Calibration& calibration;
  const CalibrationData& data;
  const QuantizeOptions& options;
  const PassContext& pass;
};

// Activations must have their parameters already. With options.bias_correction, biases also absorb the mean error that
// rounding the weights makes (Nagel et al. 2019, arXiv:1906.04721, section 4.2; means from the calibration data).
void quantize_weights(Graph& graph, const QuantPlan& plan, const WeightsContext& context);

// The same on a copy of the model's graph.
Graph quantize_weights(const PreparedModel& model, const CalibrationData& data, const QuantizeOptions& options,
                       const PassContext& context);

// What a layer's weights and bias take in flash, packed.
std::size_t weight_bytes(const Graph& graph, const QuantPlan::NodePlan& entry);

}  // namespace tinyml
