// Operators whose meaning changed between opsets, rewritten so that the newest meaning computes the same.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/onnx/upgrade.h"
#include "lib/ops/node_view.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

using Ints = std::vector<std::int64_t>;

// Appends `trailing` axes of size 1 to a value's shape: by a new constant, or by an Unsqueeze before the node.
void append_axes(const OldNode& node, std::size_t input, std::size_t trailing) {
  Graph& graph = node.graph();
  const std::size_t rank = node.rank(input);
  if (const Tensor* held = node.constant(input)) {
    Tensor wider = *held;
    Dims dims = wider.dims();
    dims.resize(dims.size() + trailing, 1);
    wider.reshape(std::move(dims));
    return node.set_input(input, std::move(wider), "broadcast");
  }
  Ints axes;
  for (std::size_t i = 0; i < trailing; ++i) axes.push_back(static_cast<std::int64_t>(rank + i));
  const ValueId operands[] = {node.node().inputs[input],
                              graph.add_constant(node.node().name + "_axes", Tensor::from_i64(axes))};
  const std::vector<std::string> origins = node.node().origins;
  graph.set_input(node.id(), input, graph.emit("Unsqueeze", operands, {}, origins, node.id()));
}

// The single axis over which an old Softmax normalizes, if all but one of the axes from `first` on have size 1.
std::optional<std::int64_t> only_axis(const Shape& shape, std::size_t first) {
  std::optional<std::int64_t> found;
  for (std::size_t i = first; i < shape.size(); ++i) {
    if (shape[i] == Dim(1)) continue;
    if (found) return std::nullopt;
    found = static_cast<std::int64_t>(i);
  }
  return found ? found : std::optional(static_cast<std::int64_t>(shape.size()) - 1);
}

// The target of a Reshape that merges the axes from `first` on: 0 copies a dimension.
Ints merged_shape(std::size_t first) {
  Ints shape(first, 0);
  shape.push_back(-1);
  return shape;
}

// A Reshape back to the shape of `like`: constant where at most one dimension is open, else from a Shape node.
ValueId shape_operand(const OldNode& node, ValueId like) {
  Graph& graph = node.graph();
  Ints dims;
  int open = 0;
  for (const Dim& d : *graph.value(like).type.shape) {
    dims.push_back(d.known() ? d.value : -1);
    open += d.known() ? 0 : 1;
  }
  if (open <= 1 && std::find(dims.begin(), dims.end(), std::int64_t{0}) == dims.end())
    return graph.add_constant(node.node().name + "_shape", Tensor::from_i64(dims));
  const std::vector<std::string> origins = node.node().origins;
  return graph.emit("Shape", std::span(&like, 1), {}, origins, node.id());
}

// Old Softmax flattens to two dimensions at `first` and normalizes the second: Reshape, Softmax, Reshape.
void softmax_over_merged_axes(const OldNode& node, std::size_t first) {
  Graph& graph = node.graph();
  const ValueId x = node.node().inputs[0];
  const std::vector<std::string> origins = node.node().origins;
  const std::string op = node.node().op;
  const ValueId merged = graph.add_constant(node.node().name + "_merged", Tensor::from_i64(merged_shape(first)));
  const ValueId flat = graph.emit("Reshape", std::array{x, merged}, {}, origins, node.id());
  const ValueId soft = graph.emit(op, std::array{flat}, {{"axis", std::int64_t{-1}}}, origins, node.id());
  const ValueId shape = shape_operand(node, x);
  graph.set_op(node.id(), "Reshape");
  graph.set_inputs_of(node.id(), {soft, shape});
}

}  // namespace

void upgrade_broadcast(const OldNode& node) {
  const auto broadcast = node.take<std::int64_t>("broadcast");
  const auto axis = node.take<std::int64_t>("axis");
  const bool is_prelu = node.node().op == "PRelu";
  std::optional<std::size_t> first;
  if (broadcast.value_or(0) != 0 && axis) first = normalize_axis(*axis, node.rank(0));
  if (is_prelu && node.rank(1) == 1 && node.rank(0) > 1) first = 1;  // opset 6: one slope per channel
  if (!first) return;
  const std::size_t rank = node.rank(0), own = node.rank(1);
  if (*first + own > rank)
    throw Error(fmt::format("the second operand of rank {} does not fit at axis {} of rank {}", own, *first, rank),
                "export the model again");
  if (*first + own < rank) append_axes(node, 1, rank - *first - own);
}

void upgrade_batch_norm(const OldNode& node) {
  (void)node.take<Ints>("consumed_inputs");
  if (const auto is_test = node.take<std::int64_t>("is_test"); is_test.value_or(node.opset() < 7 ? 0 : 1) == 0)
    throw Error("BatchNormalization in training mode (is_test=0)", "export the model for inference");
  if (const auto spatial = node.take<std::int64_t>("spatial"); spatial.value_or(1) == 0)
    throw Error("BatchNormalization with spatial=0 is not supported", "export the model for opset 9 or newer");
}

void upgrade_upsample(const OldNode& node) {
  if (node.opset() >= 10) throw Error("Upsample does not exist since opset 10", "export the model with Resize");
  if (const auto scales = node.take<std::vector<float>>("scales"))
    node.set_input(1, Tensor::from<float>({static_cast<std::int64_t>(scales->size())}, std::span<const float>(*scales)),
                   "scales");
  if (!node.has_input(1)) throw Error("Upsample has no scales", "export the model again");
  node.graph().set_op(node.id(), "Resize");
  upgrade_resize(node);
}

// Opset 10 knows one way: coordinates divided by the scale, rounded down.
void upgrade_resize(const OldNode& node) {
  const ValueId x = node.node().inputs.empty() ? ValueId::none : node.node().inputs[0];
  if (!node.has_input(1)) throw Error("Resize has no scales", "export the model again");
  node.graph().set_inputs_of(node.id(), {x, ValueId::none, node.node().inputs[1]});
  if (auto mode = node.take<std::string>("mode")) node.set("mode", *mode == "bilinear" ? "linear" : std::move(*mode));
  node.set("coordinate_transformation_mode", std::string("asymmetric"));
  node.set("nearest_mode", std::string("floor"));
}

void upgrade_concat(const OldNode& node) {
  if (!node.has("axis")) node.set("axis", std::int64_t{1});
}

void upgrade_softmax(const OldNode& node) {
  const std::size_t rank = node.rank(0);
  const std::int64_t axis = node.take<std::int64_t>("axis").value_or(1);
  // The old form allows axis == rank too: everything is one row of one element.
  const std::size_t first = axis == static_cast<std::int64_t>(rank) ? rank : normalize_axis(axis, rank);
  if (first == rank) return softmax_over_merged_axes(node, first);
  if (const auto only = only_axis(*node.input(0).type.shape, first))
    node.set("axis", *only);
  else
    softmax_over_merged_axes(node, first);
}

}  // namespace tinyml::onnx_format
