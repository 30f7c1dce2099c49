// The node itself becomes the last of its parts, so that its name, its output and whoever excludes it by name remain.
#include "passes/quantize/split_operands.h"

#include "passes/quantize/weight_axes.h"
#include "passes/rewrite.h"

namespace tinyml {
namespace {

ValueId emit_before(Graph& graph, NodeId id, std::string_view op, const std::vector<ValueId>& inputs,
                    Attributes attributes = {}) {
  const std::vector<std::string> origins = graph.node(id).origins;
  return graph.emit(op, inputs, std::move(attributes), origins, id);
}

Outcome become(Graph& graph, NodeId id, std::string op, std::vector<ValueId> inputs) {
  graph.set_inputs_of(id, std::move(inputs));
  graph.set_op(id, std::move(op));
  graph.attributes(id).clear();
  return rewritten();
}

ValueId input(const Node& node, std::size_t i) { return i < node.inputs.size() ? node.inputs[i] : ValueId::none; }

bool computed(const Graph& graph, ValueId id) { return id != ValueId::none && !is_constant(graph, id); }

Outcome split_gemm(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const ValueId bias = input(node, 2);
  if (bias == ValueId::none || (is_constant(graph, bias) && fits_output_channels(*graph.value(bias).constant)))
    return std::nullopt;
  Attributes attributes = node.attributes;
  attributes.erase("beta");
  const float beta = NodeView(graph, node).real("beta", 1);
  ValueId addend = bias;
  if (beta != 1)
    addend = emit_before(graph, id, "Mul", {bias, make_scalar(graph, graph.value(bias).name + "_beta", beta)});
  const ValueId product = emit_before(graph, id, "Gemm", {node.inputs[0], node.inputs[1]}, std::move(attributes));
  return become(graph, id, "Add", {product, addend});
}

Outcome split_conv(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const ValueId bias = input(node, 2);
  const Shape* shape = shape_of(graph, node.inputs[0]);
  if (!computed(graph, bias) || shape == nullptr || shape->size() < 3) return std::nullopt;
  std::vector<std::int64_t> dims(shape->size() - 1, 1);  // [C, 1, ...]
  dims[0] = -1;
  const ValueId target = make_integers(graph, graph.value(bias).name + "_shape", dims);
  const ValueId spread = emit_before(graph, id, "Reshape", {bias, target});
  const ValueId product = emit_before(graph, id, node.op, {node.inputs[0], node.inputs[1]}, node.attributes);
  return become(graph, id, "Add", {product, spread});
}

Outcome split_prelu(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  if (!computed(graph, node.inputs[1])) return std::nullopt;
  const ValueId zero = make_scalar(graph, node.name + "_zero", 0);
  const ValueId above = emit_before(graph, id, "Relu", {node.inputs[0]});
  const ValueId below = emit_before(graph, id, "Min", {node.inputs[0], zero});
  const ValueId scaled = emit_before(graph, id, "Mul", {below, node.inputs[1]});
  return become(graph, id, "Add", {above, scaled});
}

Outcome split_clip(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const ValueId low = input(node, 1), high = input(node, 2);
  if (!computed(graph, low) && !computed(graph, high)) return std::nullopt;
  if (low == ValueId::none) return become(graph, id, "Min", {node.inputs[0], high});
  if (high == ValueId::none) return become(graph, id, "Max", {node.inputs[0], low});
  return become(graph, id, "Min", {emit_before(graph, id, "Max", {node.inputs[0], low}), high});
}

Outcome split(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.inputs.empty() || graph.value(node.inputs[0]).type.dtype != DType::f32) return std::nullopt;
  if (node.op == "Gemm") return split_gemm(graph, id);
  if (node.op == "Conv" || node.op == "ConvTranspose") return split_conv(graph, id);
  if (node.op == "PRelu") return split_prelu(graph, id);
  if (node.op == "Clip") return split_clip(graph, id);
  return std::nullopt;
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) { return split(graph, id); });
}

}  // namespace

std::unique_ptr<Pass> split_operands_pass() {
  return make_simple_pass("split-operands",
                          "make operators of their own out of operands that kernels have as constants", run);
}

}  // namespace tinyml
