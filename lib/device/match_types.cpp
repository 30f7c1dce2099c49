// A conversion is made once per value, behind its producer's readers. What only converts (Identity) may mix.
#include "lib/device/match_types.h"

#include <algorithm>
#include <map>

#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

bool is_activation(const Graph& graph, ValueId id) {
  return id != ValueId::none && !graph.value(id).constant && graph.value(id).quant;
}
bool has_type(const Graph& graph, ValueId id, DType type) {
  return is_activation(graph, id) && graph.value(id).quant->type == type;
}

// The value that the node's kernel writes: behind the clamps or functions that it becomes one step with.
ValueId written(const Graph& graph, NodeId id, std::size_t i) {
  ValueId value = graph.node(id).outputs[i];
  while (value != ValueId::none && !graph.value(value).quant && graph.value(value).consumers.size() == 1 &&
         is_float(graph.value(value).type.dtype) && !graph.is_output(value))
    value = graph.node(graph.value(value).consumers[0]).outputs.at(0);
  return value;
}

// q - zero point has 9 bits with its sign; 7 more are left.
QuantParams wide_params(const QuantParams& narrow) {
  QuantParams wide;
  wide.type = DType::i16;
  wide.scales = {narrow.scales.at(0) / 128};
  wide.zero_points = {0};
  return wide;
}

class Matcher {
 public:
  explicit Matcher(Graph& graph) : graph_(graph) {}

  void run() {
    const std::vector<NodeId> nodes = graph_.nodes();
    for (const NodeId id : nodes) {
      if (graph_.node(id).op == "Identity" || !mixes(id)) continue;
      check_form(id);
      for (std::size_t i = 0; i < graph_.node(id).inputs.size(); ++i)
        if (has_type(graph_, graph_.node(id).inputs[i], DType::i8)) graph_.set_input(id, i, widened(id, i));
      for (std::size_t i = 0; i < graph_.node(id).outputs.size(); ++i) narrow(id, i);
    }
    if (changed_) graph_.sort();
  }

 private:
  // An input without parameters belongs to the node before, which decides.
  bool mixes(NodeId id) const {
    if (!runs_in_16_bits(graph_, id)) return false;
    const auto& inputs = graph_.node(id).inputs;
    return std::all_of(inputs.begin(), inputs.end(), [&](ValueId input) {
      return input == ValueId::none || graph_.value(input).constant || graph_.value(input).quant ||
             !is_float(graph_.value(input).type.dtype);
    });
  }

  void check_form(NodeId id) const {
    const Node& node = graph_.node(id);
    const OpDef* op = find_op(node.op);
    const NodeView view(graph_, node);
    if (op == nullptr || (op->int16 != nullptr && op->int16(view))) return;
    if (op->scalar != nullptr && op->scalar(view)) return;
    throw Error(node.op + " has no form with 16-bit activations",
                "choose the layers that get them by name (quantize --int16), without this one")
        .at_node(node.name);
  }

  ValueId widened(NodeId id, std::size_t i) {
    const ValueId narrow = graph_.node(id).inputs[i];
    const auto known = widened_.find(narrow);
    if (known != widened_.end()) return known->second;
    const std::string name = graph_.value(narrow).name + "_int16";
    const ValueId wide = graph_.add_value(name, graph_.value(narrow).type);
    graph_.insert_before(id, conversion(name, narrow, wide));
    graph_.value(wide).quant = wide_params(*graph_.value(narrow).quant);
    changed_ = true;
    return widened_[narrow] = wide;
  }

  static Node conversion(std::string name, ValueId from, ValueId to) {
    Node node;
    node.name = std::move(name);
    node.op = "Identity";
    node.inputs = {from};
    node.outputs = {to};
    return node;
  }

  // The readers of an int8 output, and whoever holds it as the graph's, take the rounded copy.
  void narrow(NodeId id, std::size_t i) {
    const ValueId wide = written(graph_, id, i);
    if (!has_type(graph_, wide, DType::i8)) return;
    const QuantParams params = *graph_.value(wide).quant;
    const TensorType type = graph_.value(wide).type;
    const std::string name = graph_.value(wide).name;
    const ValueId rounded = graph_.add_value(name + "_int8", type);
    graph_.replace_uses(wide, rounded);
    graph_.add_node(conversion(name + "_int8", wide, rounded));
    graph_.value(wide).quant = wide_params(params);
    graph_.value(rounded).quant = params;
    changed_ = true;
  }

  Graph& graph_;
  std::map<ValueId, ValueId> widened_;
  bool changed_ = false;
};

}  // namespace

bool runs_in_16_bits(const Graph& graph, NodeId id) {
  const auto has_16_bits = [&](ValueId value) {
    return has_type(graph, value, DType::i16) || has_type(graph, value, DType::u16);
  };
  const Node& node = graph.node(id);
  bool has = std::any_of(node.inputs.begin(), node.inputs.end(), has_16_bits);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) has = has || has_16_bits(written(graph, id, i));
  return has;
}

void match_activation_types(Graph& graph) { Matcher(graph).run(); }

}  // namespace tinyml
