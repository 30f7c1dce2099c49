// One streaming pass of the calibration data through the float graph: ranges of activations, means of channels.
#pragma once

#include <optional>
#include <vector>

#include "passes/quantize/plan.h"

namespace tinyml {

struct Calibration {
  std::vector<Range> ranges;                        // by value id: of the planned activations
  std::vector<std::optional<QuantParams>> presets;  // by value id: parameters that are given, whatever was observed
  std::vector<std::vector<double>> means;           // by value id: per index of axis 1, for values that feed weights
};

// Throws Error (tensor named) when an activation is not finite, and when there are no samples.
Calibration calibrate(const Graph& graph, const QuantPlan& plan, const CalibrationData& data,
                      const QuantizeOptions& options, const PassContext& context);

// The batch that the model's inputs fix; nullopt when it is symbolic.
std::optional<std::size_t> fixed_batch(const Graph& graph);

}  // namespace tinyml
