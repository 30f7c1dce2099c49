// Chooses for each layer 8 bits, int4 or a codebook, so that the weights are smallest within a bound on what may be
// lost. The layers that cost the output least for the bytes that they save are halved first; how many of them, a
// bisection finds by quantizing and judging whole models.
#pragma once

#include <functional>
#include <optional>

#include "passes/quantize/quantize_weights.h"

namespace tinyml {

// `assigned` is the graph with the parameters of its activations. Sets the forms of the plan's layers and
// report.weights' sensitivities; returns the quantized graph.
Graph choose_bits(const Graph& assigned, QuantPlan& plan, const WeightsContext& context, QuantizeReport& report);

}  // namespace tinyml
