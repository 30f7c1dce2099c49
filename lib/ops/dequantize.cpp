// As DequantizeLinear: the difference of integers is exact, one rounding by the product.
#include "lib/ops/dequantize.h"

#include "lib/support/error.h"

namespace tinyml {

void check_quant_params(const QuantParams& params, const Dims& dims) {
  if (params.scales.empty() || params.zero_points.size() != params.scales.size())
    throw Error("quantization with " + std::to_string(params.scales.size()) + " scales and " +
                    std::to_string(params.zero_points.size()) + " zero points",
                "as many zero points as scales are needed");
  if (!params.per_channel()) return;
  const auto axis = static_cast<std::size_t>(params.axis);
  if (axis >= dims.size() || static_cast<std::size_t>(dims[axis]) != params.scales.size())
    throw Error("quantization along axis " + std::to_string(params.axis) + " with " +
                    std::to_string(params.scales.size()) + " scales does not fit the shape " + to_string(dims),
                "one scale per index of the axis");
}

Tensor dequantize(const Tensor& integers, const QuantParams& params) {
  check_quant_params(params, integers.dims());
  const Tensor wide = convert(integers, DType::i64);
  Tensor out(DType::f32, integers.dims());
  const auto source = wide.data<std::int64_t>();
  const auto target = out.data<float>();
  for_each_scale(integers.dims(), params, [&](std::int64_t first, std::int64_t count, std::size_t i) {
    for (auto k = static_cast<std::size_t>(first); k < static_cast<std::size_t>(first + count); ++k)
      target[k] = static_cast<float>(source[k] - params.zero_points[i]) * params.scales[i];
  });
  return out;
}

}  // namespace tinyml
