// A pool over the whole map, and a reduction over all spatial axes, as the global pool that they are. Without keepdims
// a Flatten follows.
#include <algorithm>
#include <numeric>

#include "passes/rewrite.h"

namespace tinyml {
namespace {

std::string global_form(const std::string& op) {
  if (op == "AveragePool" || op == "ReduceMean") return "GlobalAveragePool";
  if (op == "MaxPool" || op == "ReduceMax") return "GlobalMaxPool";
  return "";
}

bool covers_map(const Graph& graph, const Node& node, const Shape& shape) {
  const NodeView view(graph, node);
  const auto kernel = view.integers("kernel_shape"), pads = view.integers("pads"), steps = view.integers("dilations");
  const std::string auto_pad = view.text("auto_pad", "NOTSET");
  const bool padded = std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p != 0; }) ||
                      (auto_pad != "NOTSET" && auto_pad != "VALID");
  const bool dilated = std::any_of(steps.begin(), steps.end(), [](std::int64_t d) { return d != 1; });
  if (padded || dilated || kernel.size() + 2 != shape.size()) return false;
  return std::equal(kernel.begin(), kernel.end(), shape.begin() + 2,
                    [](std::int64_t k, const Dim& d) { return d == Dim(k); });
}

Outcome pool_to_global(Graph& graph, NodeId id, const std::string& op) {
  const Node& node = graph.node(id);
  const Shape* shape = shape_of(graph, node.inputs[0]);
  if (shape == nullptr || node.outputs.size() != 1 || !covers_map(graph, node, *shape)) return std::nullopt;
  graph.set_op(id, op);
  graph.attributes(id).clear();
  return rewritten();
}

bool reduces_spatial_axes(const Graph& graph, const Node& node, const Shape& shape) {
  const std::size_t rank = shape.size();
  const auto axes = NodeView(graph, node).constant_ints(1);
  if (!axes || rank < 3 || rank > 5 || axes->size() != rank - 2) return false;
  std::vector<std::size_t> sorted, spatial(rank - 2);
  for (const std::int64_t a : *axes) sorted.push_back(normalize_axis(a, rank));
  if (std::find(shape.begin() + 2, shape.end(), Dim(0)) != shape.end()) return false;  // a pool needs elements
  std::sort(sorted.begin(), sorted.end());
  std::iota(spatial.begin(), spatial.end(), std::size_t{2});
  return sorted == spatial;
}

Outcome reduction_to_global(Graph& graph, NodeId id, const std::string& op) {
  const Node& node = graph.node(id);
  const ValueId x = node.inputs[0];
  const Shape* shape = shape_of(graph, x);
  if (shape == nullptr || graph.value(x).type.dtype != DType::f32 || !reduces_spatial_axes(graph, node, *shape))
    return std::nullopt;
  const bool keeps = integer_attribute(node, "keepdims", 1) != 0;
  if (keeps) {
    graph.set_op(id, op);
    graph.attributes(id).clear();
    graph.set_inputs_of(id, {x});
    return rewritten();
  }
  const std::vector<std::string> origins = node.origins;
  Shape pooled_shape(shape->size(), Dim(1));
  std::copy_n(shape->begin(), 2, pooled_shape.begin());
  const ValueId pooled = graph.emit(op, std::span(&x, 1), {}, origins, id);
  graph.value(pooled).type = {DType::f32, std::move(pooled_shape)};
  graph.value(pooled).quant = graph.value(graph.node(id).outputs[0]).quant;
  graph.set_op(id, "Flatten");
  graph.attributes(id) = {{"axis", std::int64_t{1}}};
  graph.set_inputs_of(id, {pooled});
  return rewritten();
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) -> Outcome {
    const std::string op = graph.node(id).op;
    const std::string global = global_form(op);
    if (global.empty()) return std::nullopt;
    return op.starts_with("Reduce") ? reduction_to_global(graph, id, global) : pool_to_global(graph, id, global);
  });
}

}  // namespace

std::unique_ptr<Pass> make_use_global_pools() {
  return make_simple_pass("use-global-pools", "pools and reductions over the whole map as global pools", run);
}

}  // namespace tinyml
