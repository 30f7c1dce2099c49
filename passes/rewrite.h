// Small helpers for passes: a pass made of a function, questions about uses and constants, replacing a value where the
// graph's interface and the rounding points allow it. Used by every pass.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/ops/op_def.h"
#include "passes/pass.h"

namespace tinyml {

using RunFn = PassReport (*)(Graph& graph, const PassContext& context);
// Name and summary must be literals.
std::unique_ptr<Pass> make_simple_pass(std::string_view name, std::string_view summary, RunFn run);

// Visits a snapshot of the nodes in execution order, skipping those that were erased meanwhile; counts what `rewrite`
// returns: nothing = no match, an empty reason = rewritten, otherwise the reason for leaving it alone.
using Outcome = std::optional<std::string>;
inline Outcome rewritten() { return std::string(); }
template <class F>
PassReport for_each_node(Graph& graph, F rewrite);

// --- questions
bool is_alive(const Graph& graph, NodeId node);
bool is_constant(const Graph& graph, ValueId value);
bool is_quantized(const Graph& graph, ValueId value);  // a rounding point
// Exactly one use, by a node: the value may disappear.
bool has_single_use(const Graph& graph, ValueId value);
// The node that computes the value, when its operator is `op`; else NodeId::none.
NodeId producer(const Graph& graph, ValueId value, std::string_view op);
const Shape* shape_of(const Graph& graph, ValueId value);
// A plain float32 constant, or nullptr; quantized constants are none.
const Tensor* float_constant(const Graph& graph, ValueId value);
// The element of a plain float32 constant of one element.
std::optional<float> scalar_constant(const Graph& graph, ValueId value);
std::int64_t integer_attribute(const Node& node, const std::string& key, std::int64_t fallback);
std::vector<std::int64_t> integers_attribute(const Node& node, const std::string& key);

// --- constants
ValueId make_constant(Graph& graph, const std::string& name, const Dims& dims, std::span<const float> values);
ValueId make_scalar(Graph& graph, const std::string& name, float value);
ValueId make_integers(Graph& graph, const std::string& name, std::span<const std::int64_t> values);

// --- replacing
// Why `from` may not be replaced by `to` everywhere, or an empty string: the interface keeps its values, and a rounding
// point stays one (it moves to `to` when nobody else sees `to`).
std::string obstacle_to_replace(const Graph& graph, ValueId from, ValueId to);
// Replaces the output of `node` by `to`, erases the node, and adds its origins to whoever computes `to`. Returns the
// obstacle instead when there is one.
Outcome replace_node(Graph& graph, NodeId node, ValueId to);
// Appends the origins of `from` to `to`.
void inherit_origins(Graph& graph, NodeId to, NodeId from);
// Erases the node if nobody uses its outputs any more, then its producers likewise.
void erase_if_unused(Graph& graph, NodeId node);

template <class F>
PassReport for_each_node(Graph& graph, F rewrite) {
  PassReport report;
  const std::vector<NodeId> nodes = graph.nodes();
  for (const NodeId id : nodes) {
    if (!is_alive(graph, id)) continue;
    const std::string name = graph.node(id).name;
    const Outcome outcome = rewrite(id);
    if (!outcome) continue;
    ++report.matched;
    if (outcome->empty())
      ++report.changed;
    else
      report.skipped.push_back({name, *outcome});
  }
  return report;
}

}  // namespace tinyml
