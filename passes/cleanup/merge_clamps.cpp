// Merges Relu and Clip: two clamps in a row become one, a Clip to [0, inf) becomes Relu, and Min or Max with a scalar
// constant becomes Clip, so that whoever fuses clamps sees one form. The operators state their interval themselves
// (OpDef::clamp). Clamping to [a, b] and then to [c, d] is clamping to [clamp(a), clamp(b)] by the second: exact.
#include <algorithm>
#include <cmath>
#include <limits>

#include "passes/rewrite.h"

namespace tinyml {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::optional<ClampRange> clamp_of(const Graph& graph, NodeId id) {
  if (id == NodeId::none) return std::nullopt;
  const Node& node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->clamp == nullptr || graph.value(node.inputs[0]).type.dtype != DType::f32)
    return std::nullopt;
  const auto range = op->clamp(NodeView(graph, node));
  const bool sound = range && range->min <= range->max;  // NaN or crossed bounds: left to the executor
  return sound ? range : std::nullopt;
}

// Makes the node the canonical clamp of `input` to the range.
void become_clamp(Graph& graph, NodeId id, ValueId input, ClampRange range) {
  graph.attributes(id).clear();
  if (range.min == 0 && range.max == kInfinity) {
    graph.set_op(id, "Relu");
    graph.set_inputs_of(id, {input});
    return;
  }
  const std::string name = graph.node(id).name;
  std::vector<ValueId> inputs{input, ValueId::none};
  if (range.min != -kInfinity) inputs[1] = make_scalar(graph, name + "_min", range.min);
  if (range.max != kInfinity) inputs.push_back(make_scalar(graph, name + "_max", range.max));
  graph.set_op(id, "Clip");
  graph.set_inputs_of(id, std::move(inputs));
}

Outcome merge_pair(Graph& graph, NodeId id) {
  const auto outer = clamp_of(graph, id);
  if (!outer) return std::nullopt;
  const ValueId between = graph.node(id).inputs[0];
  const NodeId first = graph.value(between).producer;
  const auto inner = clamp_of(graph, first);
  if (!inner) return std::nullopt;
  if (is_quantized(graph, between)) return "a rounding point lies between the two clamps";
  const ClampRange both{std::clamp(inner->min, outer->min, outer->max), std::clamp(inner->max, outer->min, outer->max)};
  inherit_origins(graph, id, first);
  become_clamp(graph, id, graph.node(first).inputs[0], both);
  erase_if_unused(graph, first);
  return rewritten();
}

Outcome clip_to_relu(Graph& graph, NodeId id) {
  if (graph.node(id).op != "Clip") return std::nullopt;
  const auto range = clamp_of(graph, id);
  if (!range || range->min != 0 || range->max != kInfinity) return std::nullopt;
  become_clamp(graph, id, graph.node(id).inputs[0], *range);
  return rewritten();
}

// Min(x, c) and Max(x, c): c of one element and of no higher rank than x.
Outcome extremum_to_clip(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const bool is_min = node.op == "Min";
  if ((!is_min && node.op != "Max") || node.inputs.size() != 2) return std::nullopt;
  for (const std::size_t side : {std::size_t{1}, std::size_t{0}}) {
    const auto bound = scalar_constant(graph, node.inputs[side]);
    const ValueId x = node.inputs[1 - side];
    const Shape* shape = shape_of(graph, x);
    if (!bound || std::isnan(*bound) || shape == nullptr || is_constant(graph, x)) continue;
    if (graph.value(node.inputs[side]).type.shape->size() > shape->size()) continue;
    become_clamp(graph, id, x, is_min ? ClampRange{-kInfinity, *bound} : ClampRange{*bound, kInfinity});
    return rewritten();
  }
  return std::nullopt;
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) -> Outcome {
    Outcome first = extremum_to_clip(graph, id);
    if (Outcome pair = merge_pair(graph, id)) return pair;
    if (Outcome relu = clip_to_relu(graph, id)) return relu;
    return first;
  });
}

}  // namespace

std::unique_ptr<Pass> make_merge_clamps() {
  return make_simple_pass("merge-clamps", "one Relu or Clip instead of several, or of Min and Max", run);
}

}  // namespace tinyml
