// Dimensions between the two layouts, and constants as floats.
#include "lib/ops/prepared.h"

#include "lib/ops/dequantize.h"

namespace tinyml {

Dims to_channels_last(const Dims& dims) {
  if (dims.size() < 3) return dims;
  Dims out{dims[0]};
  out.insert(out.end(), dims.begin() + 2, dims.end());
  out.push_back(dims[1]);
  return out;
}

Dims to_row_major(const Dims& dims) {
  if (dims.size() < 3) return dims;
  Dims out{dims[0], dims.back()};
  out.insert(out.end(), dims.begin() + 1, dims.end() - 1);
  return out;
}

std::optional<Tensor> float_constant(const NodeView& node, std::size_t input) {
  const Tensor* constant = node.constant(input);
  if (constant == nullptr) return std::nullopt;
  const auto& quant = node.input(input).quant;
  if (quant && is_integer(constant->dtype())) return dequantize(*constant, *quant);
  if (constant->dtype() != DType::f32) return std::nullopt;
  return *constant;
}

}  // namespace tinyml
