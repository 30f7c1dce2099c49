// Ranges become parameters on the graph's activation values, consistent where operators only move values.
#pragma once

#include "passes/quantize/calibrate.h"

namespace tinyml {

// Of activations and constants that are not held in 16 bits.
DType narrow_type(const QuantizeOptions& options);

void assign_params(Graph& graph, const QuantPlan& plan, const Calibration& calibration, const QuantizeOptions& options);

}  // namespace tinyml
