// Transposes beside a reshape. One that moves no element in memory (only axes of size 1 change places) is a reshape
// itself and joins the other. One before a Flatten that feeds dense layers goes into their constant weights: the
// columns are permuted instead of the activations.
#include <algorithm>

#include "lib/ops/lowering.h"
#include "passes/cleanup/permuted_axes.h"
#include "passes/cleanup/reshapes.h"

namespace tinyml {
namespace {

struct Move {
  ValueId input = ValueId::none, output = ValueId::none;
  Shape from;  // of the input
  Permutation p;
};

std::optional<Move> match_transpose(const Graph& graph, NodeId id) {
  if (id == NodeId::none || graph.node(id).op != "Transpose") return std::nullopt;
  const Node& node = graph.node(id);
  const Shape* shape = shape_of(graph, node.inputs[0]);
  if (shape == nullptr) return std::nullopt;
  auto p = transpose_permutation(node, shape->size());
  if (!p) return std::nullopt;
  return Move{node.inputs[0], node.outputs[0], *shape, *std::move(p)};
}

bool adds_rounding(const Graph& graph, const Move& move) {
  const auto& after = graph.value(move.output).quant;
  return after && (!graph.value(move.input).quant || *graph.value(move.input).quant != base_quant(*after, move.p));
}

// Transpose -> reshape: the reshape reads what the Transpose reads.
Outcome skip_before(Graph& graph, NodeId id) {
  if (!is_reshape(graph, id)) return std::nullopt;
  const NodeId before = graph.value(graph.node(id).inputs[0]).producer;
  const auto move = match_transpose(graph, before);
  if (!move || !keeps_memory_order(move->from, move->p)) return std::nullopt;
  if (adds_rounding(graph, *move)) return "a rounding point lies between";
  if (!become_reshape(graph, id, move->input)) return "more than one dimension is not known";
  inherit_origins(graph, id, before);
  erase_if_unused(graph, before);
  return rewritten();
}

// reshape -> Transpose: the Transpose becomes a reshape, and merges with the first.
Outcome become_reshape_behind(Graph& graph, NodeId id) {
  const auto move = match_transpose(graph, id);
  if (!move || !keeps_memory_order(move->from, move->p) || is_identity(move->p)) return std::nullopt;
  if (!is_reshape(graph, graph.value(move->input).producer)) return std::nullopt;
  return become_reshape(graph, id, move->input) ? rewritten() : Outcome("more than one dimension is not known");
}

// Which axis of a dense layer's constant right side runs along its input, or nothing.
std::optional<std::size_t> input_axis(const Graph& graph, NodeId user, ValueId x) {
  const Node& node = graph.node(user);
  if ((node.op != "Gemm" && node.op != "MatMul") || node.inputs[0] != x || node.inputs[1] == x ||
      !is_constant(graph, node.inputs[1]) || graph.value(node.inputs[1]).constant->rank() != 2 ||
      integer_attribute(node, "transA", 0) != 0)
    return std::nullopt;
  const std::size_t axis = integer_attribute(node, "transB", 0) != 0 ? 1 : 0;
  const auto& quant = graph.value(node.inputs[1]).quant;
  if (quant && quant->axis == static_cast<int>(axis)) return std::nullopt;
  return axis;
}

// The weights for an input whose samples are laid out as the Transpose's input has them.
Tensor permuted_weights(const Tensor& weights, std::size_t axis, const Move& move) {
  Dims sample;  // as the weights see it now: the dimensions behind the Transpose
  for (std::size_t i = 1; i < move.p.size(); ++i)
    sample.push_back(move.from[static_cast<std::size_t>(move.p[i])].value);
  Layout order;  // of the sample's axes, as they were before it
  for (const int a : inverse(move.p))
    if (a != 0) order.push_back(a - 1);
  Tensor wide = weights;
  const std::int64_t other = weights.dims()[1 - axis];
  Dims dims = sample;
  dims.insert(axis == 1 ? dims.begin() : dims.end(), other);
  wide.reshape(dims);
  Layout full;
  if (axis == 1) full.push_back(0);
  for (const int a : order) full.push_back(a + (axis == 1 ? 1 : 0));
  if (axis == 0) full.push_back(static_cast<int>(sample.size()));
  Tensor moved = to_layout(wide, full);
  moved.reshape(weights.dims());
  return moved;
}

void permute_weights(Graph& graph, NodeId user, std::size_t axis, const Move& move) {
  const ValueId old = graph.node(user).inputs[1];
  const Value& value = graph.value(old);
  const DType dtype = value.type.dtype;
  const auto quant = value.quant;
  const ValueId now = graph.add_constant(value.name + "_permuted", permuted_weights(*value.constant, axis, move));
  graph.value(now).type.dtype = dtype;
  graph.value(now).quant = quant;
  graph.set_input(user, 1, now);
}

// Transpose -> Flatten -> dense layers.
Outcome move_into_weights(Graph& graph, NodeId id) {
  if (!is_reshape(graph, id)) return std::nullopt;
  const ValueId flat = graph.node(id).outputs[0];
  const NodeId before = graph.value(graph.node(id).inputs[0]).producer;
  const auto move = match_transpose(graph, before);
  const Shape *in = shape_of(graph, graph.node(id).inputs[0]), *out = shape_of(graph, flat);
  if (!move || move->p[0] != 0 || is_identity(move->p) || out == nullptr || !is_flattening(*in, *out))
    return std::nullopt;
  const std::vector<NodeId> users = graph.value(flat).consumers;
  if (users.empty() || graph.is_output(flat)) return std::nullopt;
  for (const NodeId user : users)
    if (!input_axis(graph, user, flat)) return "what follows the Flatten is no dense layer with constant weights";
  if (adds_rounding(graph, *move)) return "a rounding point lies between";
  if (const auto& quant = graph.value(flat).quant; quant && quant->per_channel())
    return "a rounding point lies between";
  if (!become_reshape(graph, id, move->input)) return std::nullopt;
  for (const NodeId user : users) permute_weights(graph, user, *input_axis(graph, user, flat), *move);
  inherit_origins(graph, id, before);
  erase_if_unused(graph, before);
  return rewritten();
}

// The dense layer behind a value, through functions of one variable that nobody else looks at; or none.
NodeId dense_before(const Graph& graph, ValueId v) {
  while (has_single_use(graph, v) && graph.value(v).producer != NodeId::none) {
    if (const auto& quant = graph.value(v).quant; quant && quant->per_channel()) return NodeId::none;
    const NodeId id = graph.value(v).producer;
    const Node& node = graph.node(id);
    if (node.op == "Gemm") return id;
    const OpDef* op = find_op(node.op);
    if (op == nullptr || op->scalar == nullptr || !op->scalar(NodeView(graph, node))) return NodeId::none;
    v = node.inputs[0];
    if (is_constant(graph, v)) return NodeId::none;
  }
  return NodeId::none;
}

// Rows of the weights (or the bias) in the order of the Transpose's output.
ValueId permuted_rows(Graph& graph, ValueId id, std::size_t axis, const Move& move) {
  const Value& value = graph.value(id);
  Tensor wide = *value.constant;
  const Dims old = wide.dims();
  Dims dims;
  Layout order;
  for (std::size_t i = 1; i < move.from.size(); ++i) {
    dims.push_back(move.from[i].value);
    order.push_back(move.p[i] - 1 + static_cast<int>(axis));
  }
  dims.insert(dims.begin(), old.begin(), old.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.end(), old.begin() + static_cast<std::ptrdiff_t>(axis) + 1, old.end());
  for (std::size_t i = 0; i < axis; ++i)
    order.insert(order.begin() + static_cast<std::ptrdiff_t>(i), static_cast<int>(i));
  while (order.size() < dims.size()) order.push_back(static_cast<int>(order.size()));
  wide.reshape(dims);
  Tensor moved = to_layout(wide, order);
  moved.reshape(old);
  const DType dtype = value.type.dtype;
  const auto quant = value.quant;
  const ValueId now = graph.add_constant(value.name + "_permuted", std::move(moved));
  graph.value(now).type.dtype = dtype;
  graph.value(now).quant = quant;
  return now;
}

bool may_permute(const Graph& graph, ValueId id) {
  const auto& quant = graph.value(id).quant;
  return is_constant(graph, id) && (!quant || !quant->per_channel());
}

// dense layer -> Reshape -> Transpose.
Outcome move_into_producer(Graph& graph, NodeId id) {
  const auto move = match_transpose(graph, id);
  if (!move || move->p[0] != 0 || is_identity(move->p) || !has_single_use(graph, move->input)) return std::nullopt;
  const NodeId reshape = graph.value(move->input).producer;
  if (!is_reshape(graph, reshape) || adds_rounding(graph, *move)) return std::nullopt;
  const ValueId flat = graph.node(reshape).inputs[0];
  const Shape* shape = shape_of(graph, flat);
  const auto& rounded = graph.value(move->input).quant;
  if (shape == nullptr || !is_flattening(move->from, *shape) || (rounded && rounded->per_channel()))
    return std::nullopt;
  const NodeId dense = dense_before(graph, flat);
  if (dense == NodeId::none) return std::nullopt;
  const std::vector<ValueId> inputs = graph.node(dense).inputs;
  const bool has_bias = inputs.size() > 2 && inputs[2] != ValueId::none;
  const std::int64_t rows = (*shape)[1].value;
  if (!may_permute(graph, inputs[1]) || (has_bias && !may_permute(graph, inputs[2])))
    return "the dense layer's weights are not constant, or quantized per channel";
  if (has_bias && (graph.value(inputs[2]).constant->rank() != 1 || graph.value(inputs[2]).constant->size() != rows))
    return "the bias is not one per channel";
  if (rounded && !graph.value(flat).quant) return "a rounding point lies between";
  if (!become_reshape(graph, id, flat)) return std::nullopt;
  const std::size_t axis = integer_attribute(graph.node(dense), "transB", 0) != 0 ? 0 : 1;
  graph.set_input(dense, 1, permuted_rows(graph, inputs[1], axis, *move));
  if (has_bias) graph.set_input(dense, 2, permuted_rows(graph, inputs[2], 0, *move));
  inherit_origins(graph, id, reshape);
  erase_if_unused(graph, reshape);
  return rewritten();
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) -> Outcome {
    if (Outcome done = skip_before(graph, id)) return done;
    if (Outcome done = become_reshape_behind(graph, id)) return done;
    if (Outcome done = move_into_weights(graph, id)) return done;
    return move_into_producer(graph, id);
  });
}

}  // namespace

std::unique_ptr<Pass> make_absorb_transposes() {
  return make_simple_pass("absorb-transposes", "Transposes into the Reshape or the dense weights beside them", run);
}

}  // namespace tinyml
