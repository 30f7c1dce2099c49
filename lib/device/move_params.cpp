// Backwards first, so that inputs are reached, then forwards. A value read by anything else as a float keeps its bits.
#include "lib/device/move_params.h"

#include "lib/ops/op_def.h"

namespace tinyml {
namespace {

bool only_moves(const Graph& graph, NodeId id) {
  const OpDef* op = find_op(graph.node(id).op);
  if (op == nullptr || op->quant_rule == nullptr) return false;
  const QuantRule rule = op->quant_rule(NodeView(graph, graph.node(id)));
  return rule.kind == QuantKind::same_as_input && !rule.interpolates;
}

bool is_bare(const Value& value) { return !value.quant && !value.constant && value.type.dtype == DType::f32; }

// The one set of parameters that all readers of the value give to what they move; nullopt when they differ.
std::optional<QuantParams> wanted(const Graph& graph, ValueId id) {
  std::optional<QuantParams> params;
  if (graph.is_output(id)) return std::nullopt;
  for (const NodeId reader : graph.value(id).consumers) {
    const Node& node = graph.node(reader);
    if (!only_moves(graph, reader) || node.inputs[0] != id) return std::nullopt;
    for (const ValueId out : node.outputs) {
      if (out == ValueId::none) continue;
      const auto& theirs = graph.value(out).quant;
      if (!theirs || theirs->per_channel() || (params && *params != *theirs)) return std::nullopt;
      params = theirs;
    }
  }
  return params;
}

}  // namespace

void move_params(Graph& graph) {
  for (auto it = graph.nodes().rbegin(); it != graph.nodes().rend(); ++it) {
    if (!only_moves(graph, *it)) continue;
    const ValueId in = graph.node(*it).inputs[0];
    if (in == ValueId::none || !is_bare(graph.value(in))) continue;
    if (auto params = wanted(graph, in)) graph.value(in).quant = std::move(params);
  }
  for (const NodeId id : graph.nodes()) {
    if (!only_moves(graph, id) || graph.node(id).inputs[0] == ValueId::none) continue;
    const auto& params = graph.value(graph.node(id).inputs[0]).quant;
    if (!params || params->per_channel()) continue;
    for (const ValueId out : graph.node(id).outputs)
      if (out != ValueId::none && is_bare(graph.value(out))) graph.value(out).quant = params;
  }
}

}  // namespace tinyml
