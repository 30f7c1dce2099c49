// QuantizeLinear followed by DequantizeLinear, on float32. With integer bounds, rounding and saturating commute, and
// (q - zero point) is the rounded quotient saturated to [min - zero point, max - zero point].
#include <cmath>

#include "lib/exec/executor.h"
#include "lib/exec/quantized_constants.h"
#include "lib/math/kernels.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Calls visit(first element, count, index of the scale) for each run of elements with one scale.
template <class Visit>
void for_each_run(const Dims& dims, const QuantParams& params, Visit visit) {
  const std::int64_t count = element_count(dims);
  if (!params.per_channel()) return visit(std::int64_t{0}, count, std::size_t{0});
  const auto axis = static_cast<std::size_t>(params.axis);
  if (axis >= dims.size() || static_cast<std::size_t>(dims[axis]) != params.scales.size())
    throw Error("quantization along axis " + std::to_string(params.axis) + " with " +
                    std::to_string(params.scales.size()) + " scales does not fit the shape " + to_string(dims),
                "one scale per index of the axis");
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < dims.size(); ++i) inner *= dims[i];
  if (inner == 0) return;
  for (std::int64_t at = 0; at < count; at += inner)
    visit(at, inner, static_cast<std::size_t>(at / inner % dims[axis]));
}

void check_params(const QuantParams& params) {
  if (params.scales.empty() || params.zero_points.size() != params.scales.size())
    throw Error("quantization with " + std::to_string(params.scales.size()) + " scales and " +
                    std::to_string(params.zero_points.size()) + " zero points",
                "as many zero points as scales are needed");
}

}  // namespace

void fake_quantize(Tensor& tensor, const QuantParams& params) {
  check_params(params);
  if (tensor.dtype() != DType::f32)
    throw Error("quantization of a tensor of " + std::string(dtype_name(tensor.dtype())), "only float32 is quantized");
  const IntRange range = int_range(params.type);
  float* data = tensor.data<float>().data();
  for_each_run(tensor.dims(), params, [&](std::int64_t first, std::int64_t count, std::size_t i) {
    const double zero_point = params.zero_points[i];
    math::kernels().round_to_grid(data + first, static_cast<std::size_t>(count), params.scales[i],
                                  static_cast<float>(range.min - zero_point),
                                  static_cast<float>(range.max - zero_point));
  });
}

Tensor dequantize(const Tensor& integers, const QuantParams& params) {
  check_params(params);
  const Tensor wide = convert(integers, DType::i64);
  Tensor out(DType::f32, integers.dims());
  const auto source = wide.data<std::int64_t>();
  const auto target = out.data<float>();
  for_each_run(integers.dims(), params, [&](std::int64_t first, std::int64_t count, std::size_t i) {
    for (auto k = static_cast<std::size_t>(first); k < static_cast<std::size_t>(first + count); ++k)
      target[k] = static_cast<float>(source[k] - params.zero_points[i]) * params.scales[i];
  });
  return out;
}

}  // namespace tinyml
