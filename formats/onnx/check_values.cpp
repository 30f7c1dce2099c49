// Weights that training ruined are reported at once, by name and element, and not as a strange accuracy later.
// NaN is refused in any constant. Infinity is legal in bounds, masks and padding, so only weight operands are checked.
#include <fmt/format.h>

#include <cmath>

#include "formats/onnx/proto.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

template <class Bad>
std::optional<std::int64_t> find_element(const Tensor& tensor, Bad bad) {
  const auto search = [&]<class T>(T) -> std::optional<std::int64_t> {
    const auto d = tensor.data<T>();
    for (std::size_t i = 0; i < d.size(); ++i)
      if (bad(d[i])) return static_cast<std::int64_t>(i);
    return std::nullopt;
  };
  if (tensor.dtype() == DType::f32) return search(float{});
  if (tensor.dtype() == DType::f64) return search(double{});
  return std::nullopt;
}

std::string position(std::int64_t flat, const Dims& dims) {
  Dims index(dims.size(), 0);
  for (std::size_t axis = dims.size(); axis-- > 0;) {
    index[axis] = flat % dims[axis];
    flat /= dims[axis];
  }
  return to_string(index);
}

void check_nan(const Value& value) {
  if (const auto at = find_element(*value.constant, [](auto x) { return std::isnan(x); }))
    throw Error(fmt::format("element {} is NaN, expected a number", position(*at, value.constant->dims())),
                "training diverged or the file is damaged; export a sound checkpoint")
        .at_tensor(value.name);
}

void check_infinity(const Node& node, const Value& value) {
  if (const auto at = find_element(*value.constant, [](auto x) { return std::isinf(x); }))
    throw Error(fmt::format("element {} of this weight is infinite, expected a finite number",
                            position(*at, value.constant->dims())),
                "training diverged or the file is damaged; export a sound checkpoint")
        .at_node(node.name)
        .at_tensor(value.name);
}

}  // namespace

void check_values(const Graph& graph) {
  for (const ValueId id : graph.values())
    if (graph.value(id).constant && !graph.value(id).consumers.empty()) check_nan(graph.value(id));
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const OpDef* op = find_op(node.op);
    if (op == nullptr || op->first_weight < 0) continue;
    for (auto i = static_cast<std::size_t>(op->first_weight); i < node.inputs.size(); ++i)
      if (node.inputs[i] != ValueId::none && graph.value(node.inputs[i]).constant)
        check_infinity(node, graph.value(node.inputs[i]));
  }
}

}  // namespace tinyml::onnx_format
