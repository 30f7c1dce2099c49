// Type inference over a graph: asks each operator, and checks what it says against what the file declared.
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

void check_arity(const NodeView& node, const OpDef& op) {
  const auto inputs = static_cast<int>(node.input_count()), outputs = static_cast<int>(node.output_count());
  if (inputs < op.min_inputs || (op.max_inputs >= 0 && inputs > op.max_inputs) ||
      (op.max_outputs >= 0 && outputs > op.max_outputs))
    throw Error(std::string(op.name) + " with " + std::to_string(inputs) + " inputs and " + std::to_string(outputs) +
                    " outputs",
                "the operator takes " + std::to_string(op.min_inputs) + " to " +
                    (op.max_inputs < 0 ? "any number of" : std::to_string(op.max_inputs)) + " inputs");
  for (int i = 0; i < op.min_inputs; ++i) (void)node.input(static_cast<std::size_t>(i));
}

// A dimension that inference left open is filled from what was declared before; a contradiction is an Error.
void merge(Shape& inferred, const Shape& declared, const Value& value) {
  bool fits = inferred.size() == declared.size();
  for (std::size_t i = 0; fits && i < inferred.size(); ++i) {
    if (!inferred[i].known() && declared[i].known()) inferred[i] = declared[i];
    if (!inferred[i].known() && inferred[i].symbol.empty()) inferred[i].symbol = declared[i].symbol;
    fits = !declared[i].known() || inferred[i].value == declared[i].value;
  }
  if (!fits)
    throw Error("the declared shape " + to_string(declared) + " contradicts the computed shape " + to_string(inferred),
                "export the model again")
        .at_tensor(value.name);
}

void infer_one(Graph& graph, const Node& node) {
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->infer == nullptr)
    throw Error("operator " + printable(node.op) + " is not supported", "see the README for the list of operators");
  const NodeView view(graph, node);
  check_arity(view, *op);
  std::vector<InferredValue> inferred = op->infer(view);
  for (std::size_t i = 0; i < node.outputs.size() && i < inferred.size(); ++i) {
    if (node.outputs[i] == ValueId::none) continue;
    Value& value = graph.value(node.outputs[i]);
    if (inferred[i].type.shape) {
      constexpr std::size_t kMostAxes = 64;  // real tensors have up to 8
      if (inferred[i].type.shape->size() > kMostAxes)
        throw Error("a tensor of rank " + std::to_string(inferred[i].type.shape->size()),
                    "at most " + std::to_string(kMostAxes) + " axes are supported");
      if (value.type.shape) merge(*inferred[i].type.shape, *value.type.shape, value);
      std::int64_t known = 1;
      for (const Dim& d : *inferred[i].type.shape)
        if (d.known()) known = element_count({known, d.value});
      value.type = std::move(inferred[i].type);
    } else {
      value.type.dtype = inferred[i].type.dtype;
    }
    value.known_elements = std::move(inferred[i].known_elements);
  }
}

}  // namespace

void infer_node(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  try {
    infer_one(graph, node);
  } catch (Error& error) {
    error.at_node(node.name);
    throw;
  }
}

void infer_types(Graph& graph) {
  for (const NodeId id : graph.nodes()) infer_node(graph, id);
}

void bind_batch(Graph& graph, std::int64_t batch) {
  std::string symbol;
  for (const ValueId input : graph.inputs()) {
    Value& value = graph.value(input);
    if (!value.type.shape)
      throw Error("the input has no shape", "export the model with input shapes").at_tensor(value.name);
    Shape& shape = *value.type.shape;
    if (!shape.empty() && !shape[0].known()) {
      symbol = shape[0].symbol;
      shape[0] = Dim(batch);
    }
    for (Dim& d : shape)
      if (!d.known() && !d.symbol.empty() && d.symbol == symbol) d = Dim(batch);
    if (!is_static(shape))
      throw Error("dimensions besides the batch are not fixed: " + to_string(shape),
                  "export the model with fixed dimensions (only the first may be symbolic)")
          .at_tensor(value.name);
  }
  graph.forget_types();
  infer_types(graph);
}

}  // namespace tinyml
