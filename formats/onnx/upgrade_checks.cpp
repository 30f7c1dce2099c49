// Forms that the newest opset still has, brought to one or refused: training modes, empty operands, blocked scales.
#include <fmt/format.h>

#include "formats/onnx/proto.h"
#include "formats/onnx/upgrade.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

bool is_empty_constant(const OldNode& node, std::size_t i) {
  const Tensor* held = node.constant(i);
  return held != nullptr && held->size() == 0;
}

}  // namespace

void check_dropout(const OldNode& node) {
  if (!node.has_input(2)) return;
  const Tensor* training = node.constant(2);
  if (training == nullptr || training->size() != 1 || to_floats(*training)[0] != 0)
    throw Error("Dropout in training mode", "export the model for inference (training_mode false and constant)");
  node.drop_input(2);
}

void check_batch_norm(const OldNode& node) {
  if (node.take<std::int64_t>("training_mode").value_or(0) != 0 || node.wanted_outputs() > 1)
    throw Error("BatchNormalization in training mode", "export the model for inference");
}

// The empty operands that opset 11 demands in unused places mean the same as absent ones.
void check_resize(const OldNode& node) {
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}, std::size_t{3}})
    if (is_empty_constant(node, i)) node.drop_input(i);
}

// The zero point says the type: where the attribute does instead, a zero point of zeros is added.
void check_quantize(const OldNode& node) {
  if (node.take<std::int64_t>("block_size").value_or(0) != 0)
    throw Error("blocked quantization (block_size) is not supported", "use one scale per tensor or per axis");
  const auto type = node.take<std::int64_t>("output_dtype");
  if (node.node().op != "QuantizeLinear" || node.has_input(2) || !type || *type == 0) return;
  const Tensor* scale = node.constant(1);
  if (scale == nullptr) throw Error("QuantizeLinear with output_dtype and a computed scale", "give it a zero point");
  node.set_input(2, Tensor(dtype_from_onnx(static_cast<int>(*type)), scale->dims()), "zero_point");
}

}  // namespace tinyml::onnx_format
