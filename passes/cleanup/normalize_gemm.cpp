// One form of dense layer: a matrix product with a constant right side is Gemm with transB = 1 (rows are output
// channels, as kernels want them), alpha = beta = 1, a bias of one dimension. MatMul followed by Add of a bias becomes
// such a Gemm too (fold-channel-affine takes the Add). Quantized weights stay as they are.
#include <algorithm>
#include <cmath>

#include "passes/rewrite.h"

namespace tinyml {
namespace {

ValueId transposed_constant(Graph& graph, ValueId id, float factor) {
  const std::string name = graph.value(id).name + "_t";
  const Tensor& from = *graph.value(id).constant;
  const Dims dims{from.dims()[1], from.dims()[0]};
  std::vector<float> values(static_cast<std::size_t>(from.size()));
  const auto data = from.data<float>();
  const auto rows = static_cast<std::size_t>(dims[1]), columns = static_cast<std::size_t>(dims[0]);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) values[c * rows + r] = data[r * columns + c] * factor;
  return make_constant(graph, name, dims, values);
}

ValueId scaled_constant(Graph& graph, ValueId id, float factor) {
  const std::string name = graph.value(id).name + "_scaled";
  const Tensor& from = *graph.value(id).constant;
  std::vector<float> values(from.data<float>().begin(), from.data<float>().end());
  for (float& v : values) v *= factor;
  const Dims dims = from.dims();
  return make_constant(graph, name, dims, values);
}

Outcome matmul_to_gemm(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "MatMul" || node.inputs.size() != 2) return std::nullopt;
  const Shape *a = shape_of(graph, node.inputs[0]), *b = shape_of(graph, node.inputs[1]);
  if (a == nullptr || b == nullptr || a->size() != 2 || b->size() != 2 || !is_constant(graph, node.inputs[1]))
    return std::nullopt;
  if (is_quantized(graph, node.inputs[1])) return "the weights are quantized";
  if (float_constant(graph, node.inputs[1]) == nullptr) return std::nullopt;
  graph.set_input(id, 1, transposed_constant(graph, node.inputs[1], 1.0F));
  graph.set_op(id, "Gemm");
  graph.attributes(id) = {{"transB", std::int64_t{1}}};
  return rewritten();
}

bool may_scale(const Tensor& tensor, float factor) {
  const auto data = tensor.data<float>();
  return factor == 1 || std::all_of(data.begin(), data.end(), [&](float v) { return std::isfinite(v * factor); });
}

// alpha and transB go into B.
bool normalize_weights(Graph& graph, NodeId id, const NodeView& view) {
  const float alpha = view.real("alpha", 1);
  const bool transposed = view.integer("transB", 0) != 0;
  const ValueId b = graph.node(id).inputs[1];
  if (float_constant(graph, b) == nullptr || (transposed && alpha == 1) || !may_scale(*float_constant(graph, b), alpha))
    return false;
  graph.set_input(id, 1, transposed ? scaled_constant(graph, b, alpha) : transposed_constant(graph, b, alpha));
  graph.attributes(id)["transB"] = std::int64_t{1};
  graph.attributes(id).erase("alpha");
  return true;
}

// beta goes into C; C of [1, N], [1] or no dimension becomes [N].
bool normalize_bias(Graph& graph, NodeId id, const NodeView& view) {
  const float beta = view.real("beta", 1);
  const ValueId c = graph.node(id).inputs.size() > 2 ? graph.node(id).inputs[2] : ValueId::none;
  const Tensor* bias = float_constant(graph, c);
  const Shape* out = shape_of(graph, graph.node(id).outputs[0]);
  if (bias == nullptr || out == nullptr || !(*out)[1].known()) return false;
  const std::int64_t n = (*out)[1].value;
  const bool spreads = bias->size() == 1 && bias->dims() != Dims{n};
  const bool flattens = bias->rank() == 2 && bias->dims()[0] == 1 && bias->dims()[1] == n;
  if ((beta == 1 && !spreads && !flattens) || !may_scale(*bias, beta)) return false;
  const ValueId scaled = scaled_constant(graph, c, beta);
  Tensor& tensor = *graph.value(scaled).constant;
  if (spreads)
    tensor = Tensor::from<float>({n}, std::vector<float>(static_cast<std::size_t>(n), tensor.data<float>()[0]));
  else if (flattens)
    tensor.reshape({n});
  graph.value(scaled).type.shape = to_shape(tensor.dims());
  graph.set_input(id, 2, scaled);
  graph.attributes(id).erase("beta");
  return true;
}

Outcome normalize(Graph& graph, NodeId id) {
  if (graph.node(id).op != "Gemm") return std::nullopt;
  const bool weights = normalize_weights(graph, id, NodeView(graph, graph.node(id)));
  const bool bias = normalize_bias(graph, id, NodeView(graph, graph.node(id)));
  if (weights || bias) return rewritten();
  const Node& node = graph.node(id);
  if (integer_attribute(node, "transB", 0) == 0 && is_quantized(graph, node.inputs[1]) &&
      is_constant(graph, node.inputs[1]))
    return "the weights are quantized";
  return std::nullopt;
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) -> Outcome {
    if (Outcome done = matmul_to_gemm(graph, id)) return done;
    return normalize(graph, id);
  });
}

}  // namespace

std::unique_ptr<Pass> make_normalize_gemm() {
  return make_simple_pass("normalize-gemm", "MatMul and Gemm by a constant matrix as Gemm(transB=1) without factors",
                          run);
}

}  // namespace tinyml
