// Which nodes are lowered together: a kernel with the clamp that follows it, and chains of functions of one variable as
// one table.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "lib/ops/op_def.h"

namespace tinyml {

struct NodeGroup {
  std::vector<NodeId> nodes;  // the first lowers; the others are part of it
  ClampRange clamp;           // fused clamp of the real output; infinite when there is none
  // Set when the group is a function of one quantized value: input number `input` of the first node.
  std::function<double(double)> function;
  std::size_t input = 0;
};

// In execution order. Throws Error for a node whose output would have to stay float.
std::vector<NodeGroup> group_nodes(const Graph& graph);

}  // namespace tinyml
