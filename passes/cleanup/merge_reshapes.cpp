// Chains of Reshape, Flatten, Squeeze and Unsqueeze become one of them, and whatever flattens samples becomes
// Flatten(axis=1), so that exporters' ways of writing it read alike.
#include "passes/cleanup/reshapes.h"

namespace tinyml {
namespace {

// Dropping a rounding point is exact where the same one lies before or behind.
bool may_skip_rounding(const Graph& graph, ValueId before, ValueId between, ValueId behind) {
  const auto& quant = graph.value(between).quant;
  if (!quant) return true;
  return !quant->per_channel() && (quant == graph.value(before).quant || quant == graph.value(behind).quant);
}

Outcome merge_chain(Graph& graph, NodeId id) {
  if (!is_reshape(graph, id)) return std::nullopt;
  const ValueId between = graph.node(id).inputs[0];
  const NodeId first = graph.value(between).producer;
  if (!is_reshape(graph, first)) return std::nullopt;
  const ValueId input = graph.node(first).inputs[0];
  if (!may_skip_rounding(graph, input, between, graph.node(id).outputs[0])) return "a rounding point lies between";
  if (!become_reshape(graph, id, input)) return "more than one dimension is not known";
  inherit_origins(graph, id, first);
  erase_if_unused(graph, first);
  return rewritten();
}

Outcome use_flatten(Graph& graph, NodeId id) {
  if (!is_reshape(graph, id) || graph.node(id).op == "Flatten") return std::nullopt;
  const ValueId input = graph.node(id).inputs[0];
  const Shape *in = shape_of(graph, input), *out = shape_of(graph, graph.node(id).outputs[0]);
  if (in == nullptr || out == nullptr || in->size() < 3 || !is_flattening(*in, *out)) return std::nullopt;
  return become_reshape(graph, id, input) ? rewritten() : std::nullopt;
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) -> Outcome {
    if (Outcome merged = merge_chain(graph, id)) return merged;
    return use_flatten(graph, id);
  });
}

}  // namespace

std::unique_ptr<Pass> make_merge_reshapes() {
  return make_simple_pass("merge-reshapes", "one Reshape or Flatten instead of a chain", run);
}

}  // namespace tinyml
