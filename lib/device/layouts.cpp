// An input's candidates are row-major and channels-last; each is tried with everything else fixed, and the bytes that
// would have to be copied decide, then the number of operators that get literally what they ask for (layouts that
// differ in axes of size 1 cost nothing, but NHWC reads better in the emitted header).
#include "lib/device/layouts.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {
namespace {

struct Cost {
  std::int64_t bytes = 0;
  int mismatches = 0;
  bool operator<(const Cost& other) const {
    return bytes != other.bytes ? bytes < other.bytes : mismatches < other.mismatches;
  }
};

Dims dims_of(const Value& value) {
  if (!value.type.shape || !is_static(*value.type.shape))
    throw Error("the shape is not known before run time", "export the model with static shapes").at_tensor(value.name);
  return to_dims(*value.type.shape);
}

LayoutFn layout_facet(const OpDef& op) {
  if (op.layout != nullptr) return op.layout;
  return op.scalar != nullptr ? layout_follow : layout_row_major;
}

class Assignment {
 public:
  Assignment(const Graph& graph, const std::vector<Layout>& inputs) : graph_(&graph) {
    plan_.nodes.resize(graph.node_capacity());
    plan_.values.resize(graph.value_capacity());
    for (const ValueId id : graph.values())
      if (graph.value(id).constant)
        plan_.values[static_cast<std::size_t>(id)] = row_major(graph.value(id).constant->rank());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      plan_.values[static_cast<std::size_t>(graph.inputs()[i])] = inputs[i];
    for (const NodeId id : graph.nodes()) assign(id);
  }

  const Cost& cost() const { return cost_; }
  LayoutPlan take() { return std::move(plan_); }

 private:
  void assign(NodeId id) {
    const Node& node = graph_->node(id);
    const OpDef* op = find_op(node.op);
    if (op == nullptr) throw Error("operator " + printable(node.op) + " is not supported").at_node(node.name);
    std::vector<Layout> present;
    for (const ValueId input : node.inputs)
      present.push_back(input == ValueId::none ? Layout{} : plan_.values[static_cast<std::size_t>(input)]);
    LayoutChoice& choice = plan_.nodes[static_cast<std::size_t>(id)];
    try {
      choice = layout_facet(*op)(NodeView(*graph_, node), present);
    } catch (Error& error) {
      error.at_node(node.name);
      throw;
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == ValueId::none || graph_->value(node.inputs[i]).constant) continue;
      const Dims dims = dims_of(graph_->value(node.inputs[i]));
      if (!equivalent(present[i], choice.inputs[i], dims)) cost_.bytes += element_count(dims);
      if (present[i] != choice.inputs[i]) ++cost_.mismatches;
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != ValueId::none) plan_.values[static_cast<std::size_t>(node.outputs[i])] = choice.outputs[i];
  }

  const Graph* graph_;
  LayoutPlan plan_;
  Cost cost_;
};

// ---- weights in the order that the value has ------------------------------------------------------------------------

// Input features of a constant matrix: its rows rearranged along `axis` as a value of these dims is by this layout.
Tensor permute_features(const Tensor& weights, std::size_t axis, const Dims& dims, const Layout& layout) {
  const std::int64_t outer = axis == 0 ? 1 : weights.dims()[0];
  const std::int64_t inner = axis == 0 ? weights.dims()[1] : 1;
  Dims split = dims;  // [outer, the value's dims, inner]
  split.insert(split.begin(), outer);
  split.push_back(inner);
  Layout order{0};
  for (const int a : layout) order.push_back(a + 1);
  order.push_back(static_cast<int>(split.size()) - 1);
  Tensor view = weights;
  view.reshape(split);
  Tensor moved = to_layout(view, order);
  moved.reshape(weights.dims());
  return moved;
}

// The axis of the node's constant weight matrix that runs over its input features; nullopt for other nodes.
std::optional<std::size_t> feature_axis(const Graph& graph, NodeId id, ValueId input) {
  const Node& node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->quant_rule == nullptr || node.inputs[0] != input) return std::nullopt;
  const QuantRule rule = op->quant_rule(NodeView(graph, node));
  if (rule.weight_input != 1 || rule.weight_axis < 0 || rule.weight_axis > 1) return std::nullopt;
  if (NodeView(graph, node).integer("transA", 0) != 0) return std::nullopt;
  const Value& weights = graph.value(node.inputs[1]);
  if (!weights.constant || weights.constant->rank() != 2) return std::nullopt;
  if (weights.quant && weights.quant->axis == 1 - rule.weight_axis) return std::nullopt;
  return static_cast<std::size_t>(1 - rule.weight_axis);
}

void permute_weights(Graph& graph, NodeId user, std::size_t axis, const Dims& dims, const Layout& layout) {
  const Value weights = graph.value(graph.node(user).inputs[1]);
  const ValueId moved =
      graph.add_constant(weights.name + "_permuted", permute_features(*weights.constant, axis, dims, layout));
  graph.value(moved).quant = weights.quant;
  graph.value(moved).type.dtype = weights.type.dtype;
  graph.set_input(user, 1, moved);
}

bool permute_behind(Graph& graph, NodeId id, const LayoutPlan& plan) {
  const Node node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (!op->reshapes || node.inputs.empty() || graph.value(node.inputs[0]).constant) return false;
  const Dims dims = dims_of(graph.value(node.inputs[0]));
  const Layout& present = plan.values[static_cast<std::size_t>(node.inputs[0])];
  const Layout& required = plan.nodes[static_cast<std::size_t>(id)].inputs[0];
  const Dims out_dims = dims_of(graph.value(node.outputs[0]));
  if (equivalent(present, required, dims) || graph.is_output(node.outputs[0])) return false;
  // The features must be exactly what one row of the output holds.
  if (out_dims.empty() || out_dims.back() != element_count(dims)) return false;
  const std::vector<NodeId> users = graph.value(node.outputs[0]).consumers;
  std::vector<std::size_t> axes;
  for (const NodeId user : users) {
    const auto axis = feature_axis(graph, user, node.outputs[0]);
    if (!axis) return false;
    axes.push_back(*axis);
  }
  for (std::size_t i = 0; i < users.size(); ++i) permute_weights(graph, users[i], axes[i], dims, present);
  const std::vector<std::int64_t> perm(present.begin(), present.end());
  const std::vector<ValueId> inputs{node.inputs[0]};
  const ValueId transposed = graph.emit("Transpose", inputs, {{"perm", perm}}, node.origins, id);
  Value& value = graph.value(transposed);
  value.quant = graph.value(node.inputs[0]).quant;
  value.type = {graph.value(node.inputs[0]).type.dtype, to_shape(memory_dims(dims, present))};
  graph.set_input(id, 0, transposed);
  return true;
}

}  // namespace

LayoutPlan plan_layouts(const Graph& graph) {
  std::vector<Layout> inputs;
  for (const ValueId id : graph.inputs()) inputs.push_back(row_major(dims_of(graph.value(id)).size()));
  Assignment best(graph, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].size() < 3) continue;
    std::vector<Layout> other = inputs;
    other[i] = channels_last(inputs[i].size());
    Assignment attempt(graph, other);
    if (!(attempt.cost() < best.cost())) continue;
    best = std::move(attempt);
    inputs = std::move(other);
  }
  return best.take();
}

bool permute_weights_instead(Graph& graph, const LayoutPlan& plan) {
  bool changed = false;
  const std::vector<NodeId> nodes = graph.nodes();
  for (const NodeId id : nodes) changed = permute_behind(graph, id, plan) || changed;
  return changed;
}

}  // namespace tinyml
