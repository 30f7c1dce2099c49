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

bool is_chooseable(const Graph& graph, const QuantPlan::NodePlan& entry) {
  return takes_int16(graph, entry.node) && !moves_values(entry.rule);
}

// Carries 16 bits on from chosen values, and ends them where they must.
class Widener {
 public:
  Widener(Graph& graph, QuantPlan& plan, const std::vector<std::string>& exclude)
      : graph_(graph), plan_(plan), exclude_(exclude), planned_(plan.activations.begin(), plan.activations.end()) {}

  void run(const std::set<ValueId>& values) {
    for (const ValueId id : values) want(id);
    while (carry()) {
    }
    const std::set<ValueId> wide = plan_.int16;
    if (!separate()) return;
    plan_ = make_plan(graph_, exclude_);
    plan_.int16 = wide;
  }

 private:
  bool want(ValueId id) { return planned_.contains(id) && plan_.int16.insert(id).second; }

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
  const std::vector<std::string>& exclude_;
  std::set<ValueId> planned_;
};

}  // namespace

std::set<ValueId> chosen_int16_values(const Graph& graph, const QuantPlan& plan, const QuantizeOptions& options,
                                      QuantizeReport& report) {
  const bool all = options.activation_type == DType::i16;
  NameGlobs globs(options.int16_nodes, "--int16");
  std::set<ValueId> values;
  for (const ValueId id : graph.inputs())
    if (globs.match(graph.value(id).name, {}) || all) values.insert(id);
  for (const auto& entry : plan.nodes) {
    const Node& node = graph.node(entry.node);
    if (!globs.match(node.name, node.origins) && !all) continue;
    if (takes_int16(graph, entry.node)) {
      values.insert(entry.results.begin(), entry.results.end());
      continue;
    }
    if (all)
      throw Error(node.op + kNoForm, "choose the layers that get them by name (--int16), without this one")
          .at_node(node.name);
    report.kept_int8.push_back({node.name, node.op + kNoForm});
  }
  globs.require_hits();
  return values;
}

std::vector<ValueId> int16_candidates(const Graph& graph, const QuantPlan& plan) {
  const std::set<ValueId> planned(plan.activations.begin(), plan.activations.end());
  std::vector<ValueId> values;
  std::set<ValueId> seen;
  const auto add = [&](ValueId id) {
    if (planned.contains(id) && seen.insert(id).second) values.push_back(id);
  };
  for (const ValueId id : graph.inputs()) add(id);
  for (const auto& entry : plan.nodes)
    if (is_chooseable(graph, entry))
      for (const ValueId id : entry.results) add(id);
  return values;
}

void hold_in_int16(Graph& graph, QuantPlan& plan, const std::set<ValueId>& values,
                   const std::vector<std::string>& exclude) {
  Widener(graph, plan, exclude).run(values);
}

std::vector<std::string> int16_nodes(const Graph& graph, const QuantPlan& plan) {
  std::vector<std::string> names;
  for (const auto& entry : plan.nodes)
    if (std::any_of(entry.results.begin(), entry.results.end(), [&](ValueId id) { return plan.int16.contains(id); }))
      names.push_back(graph.node(entry.node).name);
  return names;
}

}  // namespace tinyml
