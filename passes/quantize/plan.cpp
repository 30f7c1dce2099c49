// Asks each operator's quant_rule; what has none stays float, with the reason kept for the report.
#include "passes/quantize/plan.h"

#include <algorithm>
#include <set>

#include "passes/quantize/name_globs.h"
#include "passes/quantize/weight_axes.h"

namespace tinyml {

std::vector<std::size_t> data_inputs(const Node& node, const QuantRule& rule) {
  std::vector<std::size_t> list;
  const auto first = static_cast<std::size_t>(rule.first_data_input);
  const std::size_t end = rule.data_inputs < 0
                              ? node.inputs.size()
                              : std::min(node.inputs.size(), first + static_cast<std::size_t>(rule.data_inputs));
  for (std::size_t i = first; i < end; ++i)
    if (node.inputs[i] != ValueId::none) list.push_back(i);
  return list;
}

namespace {

// The Relu or Clip that alone consumes the node's output and can be its kernel's clamp.
std::optional<NodeId> fused_clamp(const Graph& graph, NodeId id, const QuantRule& rule) {
  const Node& node = graph.node(id);
  if (!rule.clamp_fuses || node.outputs.empty() || node.outputs[0] == ValueId::none) return std::nullopt;
  const Value& out = graph.value(node.outputs[0]);
  if (graph.is_output(node.outputs[0]) || out.consumers.size() != 1) return std::nullopt;
  const Node& next = graph.node(out.consumers[0]);
  const OpDef* op = find_op(next.op);
  if (op == nullptr || op->clamp == nullptr || !op->clamp(NodeView(graph, next))) return std::nullopt;
  return out.consumers[0];
}

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<std::string>& exclude)
      : graph_(graph), exclude_(exclude, "--exclude") {}

  QuantPlan run() {
    for (const NodeId id : graph_.nodes()) consider(id);
    exclude_.require_hits();
    for (auto& entry : plan_.nodes) collect(entry);
    return std::move(plan_);
  }

 private:
  // Why the node cannot be integer; empty when it can.
  std::string obstacle(const Node& node, const QuantRule& rule) const {
    if (rule.kind == QuantKind::none) return node.op + " has no integer form";
    const NodeView view(graph_, node);
    for (const std::size_t i : data_inputs(node, rule))
      if (graph_.value(node.inputs[i]).type.dtype != DType::f32) return "its input is not float32";
    if (node.outputs.empty() || node.outputs[0] == ValueId::none) return "it has no output";
    if (rule.weight_input >= 0 && view.constant(static_cast<std::size_t>(rule.weight_input)) == nullptr)
      return "its weights are not constant";
    if (rule.bias_input >= 0 && view.has_input(static_cast<std::size_t>(rule.bias_input))) {
      const auto& bias = view.input(static_cast<std::size_t>(rule.bias_input));
      if (!bias.constant) return "its bias is not constant";
      if (!fits_output_channels(*bias.constant)) return "its bias is not one value per output channel";
    }
    return {};
  }

  void consider(NodeId id) {
    const Node& node = graph_.node(id);
    const OpDef* op = find_op(node.op);
    const QuantRule rule =
        op != nullptr && op->quant_rule != nullptr ? op->quant_rule(NodeView(graph_, node)) : QuantRule{};
    if (rule.kind == QuantKind::integral) return;
    if (exclude_.match(node.name, node.origins)) return leave(node, "excluded by name");
    if (std::string reason = obstacle(node, rule); !reason.empty()) return leave(node, std::move(reason));
    plan_.nodes.push_back({id, rule, {}, {}});
  }

  void leave(const Node& node, std::string reason) { plan_.float_nodes.push_back({node.name, std::move(reason)}); }

  void want(ValueId id) {
    if (!seen_.insert(id).second) return;
    (graph_.value(id).constant ? plan_.constants : plan_.activations).push_back(id);
  }

  void collect(QuantPlan::NodePlan& entry) {
    const Node& node = graph_.node(entry.node);
    for (const std::size_t i : data_inputs(node, entry.rule))
      if (!swallowed_.contains(node.inputs[i])) want(node.inputs[i]);
    const auto clamp = fused_clamp(graph_, entry.node, entry.rule);
    if (clamp && is_planned(*clamp)) {
      swallowed_.insert(node.outputs[0]);
      entry.results = {graph_.node(*clamp).outputs[0]};
    } else {
      for (const ValueId output : node.outputs)
        if (output != ValueId::none && graph_.value(output).type.dtype == DType::f32) entry.results.push_back(output);
      for (const ValueId output : entry.results) want(output);
    }
  }

  bool is_planned(NodeId id) const {
    return std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [&](const auto& n) { return n.node == id; });
  }

  const Graph& graph_;
  NameGlobs exclude_;
  std::set<ValueId> seen_, swallowed_;
  QuantPlan plan_;
};

}  // namespace

QuantPlan make_plan(const Graph& graph, const std::vector<std::string>& exclude) {
  return Planner(graph, exclude).run();
}

}  // namespace tinyml
