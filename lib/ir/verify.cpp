// Structural verifier: what every pass may rely on and must leave true. Each broken invariant is an internal error that
// names the node or value, because a graph from a file has been checked (and refused with an Error) before. Links are
// checked from both sides, so a pass that edits one side only is caught at once.
#include "lib/ir/verify.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "lib/support/error.h"

namespace tinyml {
namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), live_(graph.value_capacity()), seen_(graph.value_capacity()) {
    for (const ValueId id : graph.values()) live_[index(id)] = true;
  }

  void run() {
    check_interface();
    for (const ValueId id : graph_.values()) {
      check_value(id);
      if (graph_.value(id).producer == NodeId::none) seen_[index(id)] = true;
    }
    check_uses();
    std::set<NodeId> done;
    for (const NodeId id : graph_.nodes()) {
      if (!done.insert(id).second) node_fault(id, "is twice in the order");
      check_node(id);
    }
    for (const ValueId id : graph_.outputs())
      if (!seen_[index(id)]) value_fault(id, "is a graph output that no node in the order computes");
  }

 private:
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
  [[noreturn]] void value_fault(ValueId id, const std::string& what) const {
    internal_error("value '" + printable(graph_.value(id).name) + "' " + what);
  }
  [[noreturn]] void node_fault(NodeId id, const std::string& what) const {
    internal_error("node '" + printable(graph_.node(id).name) + "' " + what);
  }
  bool is_live(ValueId id) const { return index(id) < live_.size() && live_[index(id)]; }

  void check_interface() const {
    std::set<ValueId> inputs;
    for (const ValueId id : graph_.inputs()) {
      if (!is_live(id)) internal_error("a graph input is not a live value");
      if (!inputs.insert(id).second) value_fault(id, "is twice a graph input");
      if (graph_.value(id).producer != NodeId::none) value_fault(id, "is a graph input and a node's output");
      if (graph_.value(id).constant) value_fault(id, "is a graph input and a constant");
    }
    for (const ValueId id : graph_.outputs())
      if (!is_live(id)) internal_error("a graph output is not a live value");
    for (const ValueId id : graph_.values()) {
      const Value& value = graph_.value(id);
      if (value.producer == NodeId::none && !value.constant && !inputs.contains(id))
        value_fault(id, "is neither an input, nor a constant, nor computed");
    }
  }

  // Uses as the nodes state them against uses as the values state them.
  void check_uses() const {
    std::vector<std::pair<ValueId, NodeId>> of_nodes, of_values;
    for (const NodeId id : graph_.nodes())
      for (const ValueId input : graph_.node(id).inputs)
        if (input != ValueId::none) of_nodes.emplace_back(input, id);
    for (const ValueId id : graph_.values())
      for (const NodeId user : graph_.value(id).consumers) of_values.emplace_back(id, user);
    std::sort(of_nodes.begin(), of_nodes.end());
    std::sort(of_values.begin(), of_values.end());
    const auto [a, b] = std::mismatch(of_nodes.begin(), of_nodes.end(), of_values.begin(), of_values.end());
    if (a == of_nodes.end() && b == of_values.end()) return;
    const auto [value, node] = b == of_values.end() || (a != of_nodes.end() && *a < *b) ? *a : *b;
    if (!is_live(value)) node_fault(node, "uses a value that was erased");
    value_fault(value, "disagrees with its consumer '" + printable(graph_.node(node).name) + "' on the uses");
  }

  void check_value(ValueId id) const {
    const Value& value = graph_.value(id);
    if (value.name.empty() || graph_.find_value(value.name) != id) value_fault(id, "is not found by its name");
    if (value.constant) check_constant(id);
    if (value.quant) check_quant(id);
    if (value.producer != NodeId::none) {
      if (value.constant) value_fault(id, "is a constant and a node's output");
      const auto& outputs = graph_.node(value.producer).outputs;
      if (std::count(outputs.begin(), outputs.end(), id) != 1) value_fault(id, "is unknown to its producer");
    }
  }

  void check_constant(ValueId id) const {
    const Value& value = graph_.value(id);
    const Tensor& tensor = *value.constant;
    if (!value.type.shape || !is_static(*value.type.shape) || to_dims(*value.type.shape) != tensor.dims())
      value_fault(id, "has the constant shape " + to_string(tensor.dims()) + " but another type");
    const DType held = value.quant ? value.quant->type : value.type.dtype;
    if (tensor.dtype() != held)
      value_fault(
          id, "holds " + std::string(dtype_name(tensor.dtype())) + " but should hold " + std::string(dtype_name(held)));
  }

  void check_quant(ValueId id) const {
    const Value& value = graph_.value(id);
    const QuantParams& quant = *value.quant;
    const bool quantized_type = (is_integer(quant.type) && byte_size(quant.type) <= 2) || quant.type == DType::i32;
    if (!quantized_type) value_fault(id, "is quantized to " + std::string(dtype_name(quant.type)));
    if (!is_float(value.type.dtype)) value_fault(id, "is quantized but not real");
    if (quant.scales.empty() || quant.scales.size() != quant.zero_points.size())
      value_fault(id, "has another number of scales than zero points");
    if (!quant.per_channel() && quant.scales.size() != 1) value_fault(id, "has several scales but no axis");
    for (const float scale : quant.scales)
      if (!std::isfinite(scale) || scale <= 0) value_fault(id, "has a scale that is not positive");
    const IntRange range = int_range(quant.type);
    for (const std::int32_t zero : quant.zero_points)
      if (zero < range.min || zero > range.max) value_fault(id, "has a zero point outside of its type");
    if (!quant.per_channel() || !value.type.shape) return;
    const auto axis = static_cast<std::size_t>(quant.axis);
    if (axis >= value.type.shape->size()) value_fault(id, "has a quantization axis beyond its rank");
    const Dim& channels = (*value.type.shape)[axis];
    if (channels.known() && channels.value != static_cast<std::int64_t>(quant.scales.size()))
      value_fault(id, "has another number of scales than channels");
  }

  void check_node(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.name.empty() || graph_.find_node(node.name) != id) node_fault(id, "is not found by its name");
    if (node.op.empty()) node_fault(id, "has no operator");
    for (const ValueId input : node.inputs) {
      if (input == ValueId::none) continue;
      if (!seen_[index(input)])
        node_fault(id, "uses '" + printable(graph_.value(input).name) + "' before it is computed");
    }
    for (const ValueId output : node.outputs) {
      if (output == ValueId::none) continue;
      if (!is_live(output)) node_fault(id, "computes a value that was erased");
      if (graph_.value(output).producer != id)
        node_fault(id, "is not the producer of its output '" + printable(graph_.value(output).name) + "'");
      seen_[index(output)] = true;
    }
  }

  const Graph& graph_;
  std::vector<bool> live_, seen_;  // seen: available to the nodes that follow
};

}  // namespace

void verify(const Graph& graph) { Verifier(graph).run(); }

}  // namespace tinyml
