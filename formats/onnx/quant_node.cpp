// See quant_node.h. Parameters that no quantizer can have meant are refused here.
#include "formats/onnx/quant_node.h"

#include <fmt/format.h>

#include <cmath>

#include "lib/ops/node_view.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

bool is_quantized_type(DType type) {
  switch (type) {
    case DType::i4:
    case DType::u4:
    case DType::i8:
    case DType::u8:
    case DType::i16:
    case DType::u16:
    case DType::i32:
      return true;
    default:
      return false;
  }
}

void check_scale(const Graph& graph, const Node& node, float scale) {
  if (!std::isfinite(scale) || scale <= 0)
    throw Error(fmt::format("the scale is {}, expected a finite number above 0", scale), "quantize the model again")
        .at_node(node.name)
        .at_tensor(graph.value(node.inputs[1]).name);
}

std::vector<std::int32_t> zero_points_of(const NodeView& view, std::size_t count) {
  const Tensor* held = view.constant(2);
  if (held == nullptr) return std::vector<std::int32_t>(count, 0);
  std::vector<std::int32_t> zero_points;
  for (const std::int64_t z : to_int64s(*held)) zero_points.push_back(static_cast<std::int32_t>(z));
  if (zero_points.size() != count)
    throw Error(fmt::format("{} zero points for {} scales", zero_points.size(), count), "quantize the model again")
        .at_node(view.name())
        .at_tensor(view.input(2).name);
  return zero_points;
}

}  // namespace

std::optional<QuantParams> params_of(const Graph& graph, NodeId id) {
  const NodeView view(graph, graph.node(id));
  if (view.input_count() < 2 || !view.has_input(0)) return std::nullopt;
  const Tensor* scales = view.constant(1);
  if (scales == nullptr || scales->dtype() != DType::f32 || scales->rank() > 1 || scales->size() == 0)
    return std::nullopt;
  if (view.has_input(2) && view.constant(2) == nullptr) return std::nullopt;
  QuantParams params;
  params.type = view.has_input(2)                    ? view.constant(2)->dtype()
                : view.node().op == "QuantizeLinear" ? DType::u8
                                                     : view.input_type(0).dtype;
  if (!is_quantized_type(params.type)) return std::nullopt;
  params.scales = to_floats(*scales);
  for (const float scale : params.scales) check_scale(graph, view.node(), scale);
  params.zero_points = zero_points_of(view, params.scales.size());
  if (scales->rank() == 0 || scales->size() == 1) return params;
  const Shape* shape = view.input_shape(0);
  if (shape == nullptr) return std::nullopt;
  params.axis = static_cast<int>(normalize_axis(view.integer("axis", 1), shape->size()));
  const Dim& channels = (*shape)[static_cast<std::size_t>(params.axis)];
  if (channels.known() && channels.value != static_cast<std::int64_t>(params.scales.size()))
    throw Error(fmt::format("{} scales for axis {} of {}", params.scales.size(), params.axis, to_string(*shape)),
                "quantize the model again")
        .at_node(view.name());
  return params;
}

}  // namespace tinyml::onnx_format
