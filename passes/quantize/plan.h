// Which nodes become integer and which values carry parameters. The plan follows what the device can execute: a value
// between a kernel and the clamp that it swallows carries none.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/ops/op_def.h"
#include "passes/quantize/quantize.h"

namespace tinyml {

struct QuantPlan {
  struct NodePlan {
    NodeId node;
    QuantRule rule;
    WeightForm weights;  // when the rule names weights
    std::vector<ValueId> results =
        {};  // where its outputs are first quantized: behind the clamp that its kernel swallows
  };
  std::vector<NodePlan> nodes;       // quantized ones, in execution order
  std::vector<ValueId> activations;  // computed values and graph inputs that get parameters
  std::set<ValueId> int16;           // of the activations those of 16 bits, see int16_values.h
  std::vector<ValueId> constants;    // constant data operands that get parameters (Add of a constant)
  std::vector<QuantizeReport::FloatNode> float_nodes;
};

QuantPlan make_plan(const Graph& graph, const std::vector<std::string>& exclude);

// Indices of the inputs that are activations under `rule` (constants among them included).
std::vector<std::size_t> data_inputs(const Node& node, const QuantRule& rule);

}  // namespace tinyml
