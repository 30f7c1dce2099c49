// See quant_node.h. Parameters that no quantizer can have meant are refused here.
#include "formats/onnx/quant_node.h"

#include <fmt/format.h>

#include <cmath>

#include "lib/ops/quantize_linear.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

void check_scale(const Graph& graph, const Node& node, float scale) {
  if (!std::isfinite(scale) || scale <= 0)
    throw Error(fmt::format("the scale is {}, expected a finite number above 0", scale), "quantize the model again")
        .at_node(node.name)
        .at_tensor(graph.value(node.inputs[1]).name);
}

}  // namespace

std::optional<QuantParams> params_of(const Graph& graph, NodeId id) {
  const NodeView view(graph, graph.node(id));
  if (view.input_count() < 2 || !view.has_input(0)) return std::nullopt;
  const Tensor* scales = view.constant(1);
  if (scales == nullptr || scales->dtype() != DType::f32 || scales->rank() > 1 || scales->size() == 0)
    return std::nullopt;
  if (view.has_input(2) && view.constant(2) == nullptr) return std::nullopt;
  const DType type = view.has_input(2)                    ? view.constant(2)->dtype()
                     : view.node().op == "QuantizeLinear" ? DType::u8
                                                          : view.input_type(0).dtype;
  const Shape* shape = view.input_shape(0);
  if (!is_quantized_type(type) || (shape == nullptr && scales->size() > 1)) return std::nullopt;
  for (const float scale : scales->data<float>()) check_scale(graph, view.node(), scale);
  try {
    return read_quant_params(view, shape != nullptr ? *shape : Shape{}, type, *scales, view.constant(2));
  } catch (Error& error) {
    error.at_node(view.name()).at_tensor(view.input(1).name);
    throw;
  }
}

}  // namespace tinyml::onnx_format
