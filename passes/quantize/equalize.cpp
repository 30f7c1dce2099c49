// Works on copies of the weights, so that a constant shared by two nodes is scaled for one of them only.
#include "passes/quantize/equalize.h"

#include <cmath>
#include <optional>

#include "lib/ops/op_def.h"
#include "passes/quantize/plan.h"
#include "passes/quantize/weight_axes.h"

namespace tinyml {
namespace {

struct Linear {
  NodeId node;
  QuantRule rule;
  WeightAxes axes;
};
struct Pair {
  Linear first, second;
};

std::optional<Linear> as_linear(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->quant_rule == nullptr) return std::nullopt;
  const NodeView view(graph, node);
  const QuantRule rule = op->quant_rule(view);
  if (rule.weight_input < 0 || rule.bias_input < 0) return std::nullopt;
  const Tensor* weight = view.constant(static_cast<std::size_t>(rule.weight_input));
  if (weight == nullptr || weight->dtype() != DType::f32 ||
      view.input(static_cast<std::size_t>(rule.weight_input)).quant)
    return std::nullopt;
  if (view.has_input(static_cast<std::size_t>(rule.bias_input))) {
    const Tensor* bias = view.constant(static_cast<std::size_t>(rule.bias_input));
    if (bias == nullptr || bias->dtype() != DType::f32) return std::nullopt;
  }
  const auto axes = weight_axes(view, rule);
  if (!axes) return std::nullopt;
  return Linear{id, rule, *axes};
}

// The one consumer of a value that nothing else sees.
std::optional<NodeId> only_consumer(const Graph& graph, ValueId value) {
  if (graph.is_output(value) || graph.value(value).consumers.size() != 1) return std::nullopt;
  return graph.value(value).consumers[0];
}

// max(x, 0) and the identity commute with positive factors; a clip at 6 does not.
bool is_homogeneous(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->clamp == nullptr) return false;
  const auto range = op->clamp(NodeView(graph, node));
  return range && range->min == 0 && std::isinf(range->max);
}

std::vector<Pair> find_pairs(const Graph& graph, PassReport& report) {
  std::vector<Pair> pairs;
  for (const NodeId id : graph.nodes()) {
    const auto first = as_linear(graph, id);
    if (!first) continue;
    auto next = only_consumer(graph, graph.node(id).outputs[0]);
    if (next && is_homogeneous(graph, *next)) next = only_consumer(graph, graph.node(*next).outputs[0]);
    if (!next) continue;
    const auto second = as_linear(graph, *next);
    if (!second || graph.node(*next).inputs[0] == ValueId::none) continue;
    ++report.matched;
    if (second->axes.in_channels == first->axes.out_channels)
      pairs.push_back({*first, *second});
    else
      report.skipped.push_back({graph.node(id).name, "channel counts of the two layers differ"});
  }
  return pairs;
}

ValueId own_copy(Graph& graph, NodeId node, std::size_t input) {
  const ValueId id = graph.node(node).inputs[input];
  if (graph.value(id).consumers.size() == 1 && !graph.is_output(id)) return id;
  const ValueId copy = graph.add_constant(graph.value(id).name, *graph.value(id).constant);
  graph.set_input(node, input, copy);
  return copy;
}

std::vector<float> ranges(const Graph& graph, const Linear& l, bool of_outputs) {
  std::vector<float> reach(static_cast<std::size_t>(of_outputs ? l.axes.out_channels : l.axes.in_channels), 0.0F);
  const auto w =
      graph.value(graph.node(l.node).inputs[static_cast<std::size_t>(l.rule.weight_input)]).constant->data<float>();
  for (std::size_t i = 0; i < w.size(); ++i) {
    const auto at = l.axes.locate(static_cast<std::int64_t>(i));
    float& r = reach[static_cast<std::size_t>(of_outputs ? at.out : at.in)];
    r = std::max(r, std::fabs(w[i]));
  }
  return reach;
}

void scale_weights(Graph& graph, const Linear& l, const std::vector<float>& factors, bool of_outputs) {
  const ValueId id = own_copy(graph, l.node, static_cast<std::size_t>(l.rule.weight_input));
  auto w = graph.value(id).constant->data<float>();
  for (std::size_t i = 0; i < w.size(); ++i) {
    const auto at = l.axes.locate(static_cast<std::int64_t>(i));
    w[i] *= factors[static_cast<std::size_t>(of_outputs ? at.out : at.in)];
  }
}

void scale_bias(Graph& graph, const Linear& l, const std::vector<float>& factors) {
  const auto input = static_cast<std::size_t>(l.rule.bias_input);
  if (!NodeView(graph, graph.node(l.node)).has_input(input)) return;
  const ValueId id = own_copy(graph, l.node, input);
  Tensor& bias = *graph.value(id).constant;
  if (bias.size() != static_cast<std::int64_t>(factors.size())) return;
  auto b = bias.data<float>();
  for (std::size_t c = 0; c < b.size(); ++c) b[c] *= factors[c];
}

// Returns the largest |log2 factor|.
double equalize(Graph& graph, const Pair& pair) {
  const std::vector<float> r1 = ranges(graph, pair.first, true), r2 = ranges(graph, pair.second, false);
  std::vector<float> down(r1.size(), 1.0F), up(r1.size(), 1.0F);
  double change = 0;
  for (std::size_t c = 0; c < r1.size(); ++c) {
    if (r1[c] <= 0 || r2[c] <= 0) continue;
    const float s = std::sqrt(r1[c] / r2[c]);
    // Beyond this the channel is dead on one side; moving it there would only lose precision.
    constexpr float kMost = 1e4F;
    if (!(s > 1 / kMost && s < kMost)) continue;
    down[c] = 1 / s;
    up[c] = s;
    change = std::max(change, std::fabs(std::log2(static_cast<double>(s))));
  }
  scale_weights(graph, pair.first, down, true);
  scale_bias(graph, pair.first, down);
  scale_weights(graph, pair.second, up, false);
  return change;
}

}  // namespace

PassReport EqualizePass::run(Graph& graph, const PassContext&) {
  PassReport report;
  const std::vector<Pair> pairs = find_pairs(graph, report);
  constexpr int kMostRounds = 50;
  constexpr double kSettled = 0.01;  // log2: below one percent nothing changes in eight bits
  for (int round = 0; round < kMostRounds && !pairs.empty(); ++round) {
    double change = 0;
    for (const Pair& pair : pairs) change = std::max(change, equalize(graph, pair));
    if (change < kSettled) break;
  }
  report.changed = static_cast<int>(pairs.size());
  return report;
}

}  // namespace tinyml
