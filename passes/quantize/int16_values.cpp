// The unit of choice is the value: its rounding is the noise that 16 bits remove, so who writes it and who reads it
// compute in 16 bits (lib/device/match_types.h converts their other operands). Operators that only move values carry
// the type of what they move.
#include "passes/quantize/int16_values.h"

#include <algorithm>

#include "lib/support/error.h"
#include "passes/quantize/name_globs.h"

namespace tinyml {
namespace {

constexpr const char* kNoForm = " has no form with 16-bit activations";

bool takes_int16(const Graph& graph, NodeId id) {
  const OpDef* op = find_op(graph.node(id).op);
  if (op == nullptr) return false;
  const NodeView view(graph, graph.node(id));
  if (op->int16 != nullptr && op->int16(view)) return true;
  return op->scalar != nullptr && op->scalar(view).has_value();
}

bool moves_values(const QuantRule& rule) {
  return rule.kind == QuantKind::same_as_input || rule.kind == QuantKind::same_as_all;
}

class Chooser {
 public:
  Chooser(Graph& graph, QuantPlan& plan, const QuantizeOptions& options, QuantizeReport& report)
      : graph_(graph),
        plan_(plan),
        options_(options),
        report_(report),
        planned_(plan.activations.begin(), plan.activations.end()),
        chosen_(options.int16_nodes, "--int16") {}

  void run() {
    for (const ValueId id : graph_.inputs())
      if (all() || chosen_.match(graph_.value(id).name, {})) want(id);
    for (const auto& entry : plan_.nodes) choose(entry);
    chosen_.require_hits();
    while (carry()) {
    }
    const std::set<ValueId> wide = plan_.int16;
    if (!separate()) return;
    plan_ = make_plan(graph_, options_.exclude);
    plan_.int16 = wide;
  }

 private:
  bool all() const { return options_.activation_type == DType::i16; }

  bool want(ValueId id) { return planned_.contains(id) && plan_.int16.insert(id).second; }

  void choose(const QuantPlan::NodePlan& entry) {
    const Node& node = graph_.node(entry.node);
    if (!chosen_.match(node.name, node.origins) && !all()) return;
    if (!takes_int16(graph_, entry.node)) {
      if (all())
        throw Error(node.op + kNoForm, "choose the layers that get them by name (--int16), without this one")
            .at_node(node.name);
      report_.kept_int8.push_back({node.name, node.op + kNoForm});
      return;
    }
    for (const ValueId result : entry.results) want(result);
  }

  // One round over the operators that move values.
  bool carry() {
    bool grown = false;
    for (const auto& entry : plan_.nodes) {
      if (!moves_values(entry.rule) || !takes_int16(graph_, entry.node)) continue;
      const Node& node = graph_.node(entry.node);
      const std::vector<std::size_t> inputs = data_inputs(node, entry.rule);
      std::vector<ValueId> tied(node.outputs.begin(), node.outputs.end());
      for (const std::size_t i : inputs) tied.push_back(node.inputs[i]);
      if (std::none_of(tied.begin(), tied.end(), [&](ValueId id) { return plan_.int16.contains(id); })) continue;
      for (const ValueId id : tied)
        if (id != ValueId::none && can_be_wide(id)) grown = want(id) || grown;
    }
    return grown;
  }

  bool can_be_wide(ValueId id) const {
    const NodeId producer = graph_.value(id).producer;
    return producer == NodeId::none || takes_int16(graph_, producer);
  }

  bool separate() {
    bool changed = false;
    for (const auto& entry : plan_.nodes) {
      if (takes_int16(graph_, entry.node)) continue;
      for (const std::size_t i : data_inputs(graph_.node(entry.node), entry.rule)) {
        const ValueId input = graph_.node(entry.node).inputs[i];
        if (!plan_.int16.contains(input)) continue;
        const std::vector<ValueId> inputs{input};
        const ValueId narrow = graph_.emit("Identity", inputs, {}, graph_.node(entry.node).origins, entry.node);
        graph_.value(narrow).type = graph_.value(input).type;
        graph_.set_input(entry.node, i, narrow);
        changed = true;
      }
    }
    return changed;
  }

  Graph& graph_;
  QuantPlan& plan_;
  const QuantizeOptions& options_;
  QuantizeReport& report_;
  std::set<ValueId> planned_;
  NameGlobs chosen_;
};

}  // namespace

void choose_int16_values(Graph& graph, QuantPlan& plan, const QuantizeOptions& options, QuantizeReport& report) {
  if (options.activation_type != DType::i16 && options.int16_nodes.empty()) return;
  Chooser(graph, plan, options, report).run();
  for (const auto& entry : plan.nodes)
    if (std::any_of(entry.results.begin(), entry.results.end(), [&](ValueId id) { return plan.int16.contains(id); }))
      report.int16_nodes.push_back(graph.node(entry.node).name);
}

}  // namespace tinyml
