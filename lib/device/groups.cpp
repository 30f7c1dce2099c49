// A value without QuantParams between two nodes is exact in a QDQ model, so it must not be rounded here either: its
// producer and its consumer become one kernel, or one table, or there is no device form.
#include "lib/device/groups.h"

#include <algorithm>
#include <limits>

#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr ClampRange kNoClamp{-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};

bool needs_quant(const Value& value) { return is_float(value.type.dtype) && !value.quant; }

// The only node that reads the value, if nobody else sees it.
std::optional<NodeId> only_reader(const Graph& graph, ValueId id) {
  const auto& consumers = graph.value(id).consumers;
  if (consumers.size() != 1 || graph.is_output(id)) return std::nullopt;
  return consumers[0];
}

const OpDef& op_of(const Graph& graph, NodeId id) {
  const OpDef* op = find_op(graph.node(id).op);
  if (op == nullptr) throw Error("operator " + printable(graph.node(id).op) + " is not supported");
  return *op;
}

std::function<double(double)> scalar_function(const Graph& graph, NodeId id) {
  const OpDef& op = op_of(graph, id);
  if (op.scalar == nullptr) return nullptr;
  const auto function = op.scalar(NodeView(graph, graph.node(id)));
  return function ? *function : nullptr;
}

std::optional<std::size_t> only_variable_input(const Node& node, const Graph& graph) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ValueId::none || graph.value(node.inputs[i]).constant) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

ClampRange compose(const ClampRange& inner, const ClampRange& outer) {
  return {std::clamp(inner.min, outer.min, outer.max), std::clamp(inner.max, outer.min, outer.max)};
}

ValueId output_of(const Graph& graph, const NodeGroup& group) { return graph.node(group.nodes.back()).outputs[0]; }

// Extends a group of functions by the functions that follow while the value between them is not quantized.
void extend_function(const Graph& graph, NodeGroup& group) {
  while (needs_quant(graph.value(output_of(graph, group)))) {
    const auto next = only_reader(graph, output_of(graph, group));
    if (!next) return;
    auto outer = scalar_function(graph, *next);
    if (!outer) return;
    group.function = [inner = std::move(group.function), outer = std::move(outer)](double x) {
      return outer(inner(x));
    };
    group.nodes.push_back(*next);
  }
}

void extend_clamp(const Graph& graph, NodeGroup& group) {
  const Node& first = graph.node(group.nodes[0]);
  const OpDef& op = op_of(graph, group.nodes[0]);
  if (op.quant_rule == nullptr || !op.quant_rule(NodeView(graph, first)).clamp_fuses) return;
  while (needs_quant(graph.value(output_of(graph, group)))) {
    const auto next = only_reader(graph, output_of(graph, group));
    if (!next) return;
    const OpDef& reader = op_of(graph, *next);
    if (reader.clamp == nullptr || graph.node(*next).inputs[0] != output_of(graph, group)) return;
    const auto range = reader.clamp(NodeView(graph, graph.node(*next)));
    if (!range) return;
    group.clamp = compose(group.clamp, *range);
    group.nodes.push_back(*next);
  }
}

// What the user can do about an operator that has no device form at all.
std::string cure_for(const std::string& op) {
  for (const char* name :
       {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Where", "Not", "And", "Or", "Xor"})
    if (op == name)
      return "the device neither compares nor selects: use Relu, Clip, Min or Max, or do it after the model";
  for (const char* name : {"Shape", "ConstantOfShape"})
    if (op == name) return "export the model with static shapes, so that it folds away";
  if (op == "Cast" || op == "CastLike") return "the device computes on int8: convert before or after the model";
  return "let optimize fold it away, or replace it in the model";
}

bool has_integer_form(const Graph& graph, NodeId id) {
  const OpDef& op = op_of(graph, id);
  return op.quant_rule != nullptr && op.quant_rule(NodeView(graph, graph.node(id))).kind != QuantKind::none;
}

std::string cure_for_float(const Graph& graph, NodeId node) {
  const OpDef& op = op_of(graph, node);
  if (op.lower == nullptr && op.scalar == nullptr) return cure_for(graph.node(node).op);
  if (has_integer_form(graph, node)) return "quantize it (do not exclude its node)";
  return graph.node(node).op + " has no integer form when its weights or other arguments are computed at run time";
}

void refuse_float(const Graph& graph, NodeId node, ValueId id) {
  if (id == ValueId::none || !needs_quant(graph.value(id))) return;
  if (graph.value(id).consumers.empty() && !graph.is_output(id)) return;
  throw Error("the value stays float and cannot run on the device", cure_for_float(graph, node))
      .at_node(graph.node(node).name)
      .at_tensor(graph.value(id).name);
}

void refuse_float_input(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  if (!needs_quant(value) || value.consumers.empty()) return;
  Error error("the input stays float and cannot be fed to the device", "quantize the model first");
  for (const NodeId reader : value.consumers)
    if (!has_integer_form(graph, reader)) {
      error =
          Error("it reads an input that stays float and cannot be fed to the device", cure_for_float(graph, reader));
      error.at_node(graph.node(reader).name);
      break;
    }
  throw error.at_tensor(value.name);
}

NodeGroup start_group(const Graph& graph, NodeId id) {
  NodeGroup group{{id}, kNoClamp, nullptr, 0};
  const OpDef& op = op_of(graph, id);
  const auto variable = only_variable_input(graph.node(id), graph);
  if (variable && graph.value(graph.node(id).inputs[*variable]).quant) {
    group.function = scalar_function(graph, id);
    group.input = *variable;
  }
  if (group.function) {
    extend_function(graph, group);
    if (!needs_quant(graph.value(output_of(graph, group)))) return group;
    group = {{id}, kNoClamp, nullptr, 0};  // no table: perhaps a kernel with a clamp
  }
  const bool is_table = op.lower == nullptr && op.scalar != nullptr;
  if (is_table && needs_quant(graph.value(output_of(graph, group)))) return group;  // refused by its value
  if (op.lower == nullptr) throw Error(graph.node(id).op + " has no form on the device", cure_for(graph.node(id).op));
  extend_clamp(graph, group);
  return group;
}

}  // namespace

std::vector<NodeGroup> group_nodes(const Graph& graph) {
  for (const ValueId input : graph.inputs()) refuse_float_input(graph, input);
  std::vector<NodeGroup> groups;
  std::vector<bool> done(graph.node_capacity(), false);
  for (const NodeId id : graph.nodes()) {
    if (done[static_cast<std::size_t>(id)]) continue;
    try {
      groups.push_back(start_group(graph, id));
      for (const ValueId output : graph.node(groups.back().nodes.back()).outputs)
        refuse_float(graph, groups.back().nodes.back(), output);
    } catch (Error& error) {
      error.at_node(graph.node(id).name);
      throw;
    }
    for (const NodeId member : groups.back().nodes) done[static_cast<std::size_t>(member)] = true;
  }
  return groups;
}

}  // namespace tinyml
