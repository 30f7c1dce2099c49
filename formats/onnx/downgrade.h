// The way back of upgrade.h: which opset a node in canonical form needs, and its spelling at the opset that is written.
#pragma once

#include "lib/ir/graph.h"

namespace tinyml::onnx_format {

inline constexpr int kWrittenOpset = 13;  // unless the graph needs a newer one: what most runtimes read

// The first opset from kWrittenOpset on that can say this node.
int opset_needed(const Graph& graph, const Node& node);
int opset_needed(const QuantParams& params);
int ir_version_of(int opset);

// The node as `opset` spells it: attributes and inputs only.
struct SpelledNode {
  Attributes attributes;
  std::vector<ValueId> inputs;
};
SpelledNode spell(const Graph& graph, const Node& node, int opset);

}  // namespace tinyml::onnx_format
