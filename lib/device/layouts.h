// Memory layouts of all values of a prepared graph: forward from the inputs, each operator saying what it requires and
// what it yields. Input layouts are chosen so that the least has to be transposed.
#pragma once

#include <vector>

#include "lib/ops/op_def.h"

namespace tinyml {

struct LayoutPlan {
  std::vector<LayoutChoice> nodes;  // by node id
  std::vector<Layout> values;       // by value id: as produced; row-major for constants
};

LayoutPlan plan_layouts(const Graph& graph);

// [value] -> Reshape -> Gemm with constant weights would have to bring the value into row-major order first. Instead
// the weights' columns are permuted to the order that the value has: a Transpose, free on the device, goes before the
// Reshape. Returns true when something changed (then plan anew).
bool permute_weights_instead(Graph& graph, const LayoutPlan& plan);

}  // namespace tinyml
