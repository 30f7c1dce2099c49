// QuantizeLinear followed by DequantizeLinear, on float32. With integer bounds, rounding and saturating commute, and
// (q - zero point) is the rounded quotient saturated to [min - zero point, max - zero point].
#include "lib/exec/executor.h"
#include "lib/math/kernels.h"
#include "lib/ops/dequantize.h"
#include "lib/support/error.h"

namespace tinyml {

void fake_quantize(Tensor& tensor, const QuantParams& params) {
  check_quant_params(params, tensor.dims());
  if (tensor.dtype() != DType::f32)
    throw Error("quantization of a tensor of " + std::string(dtype_name(tensor.dtype())), "only float32 is quantized");
  const IntRange range = int_range(params.type);
  float* data = tensor.data<float>().data();
  for_each_scale(tensor.dims(), params, [&](std::int64_t first, std::int64_t count, std::size_t i) {
    const double zero_point = params.zero_points[i];
    math::kernels().round_to_grid(data + first, static_cast<std::size_t>(count), params.scales[i],
                                  static_cast<float>(range.min - zero_point),
                                  static_cast<float>(range.max - zero_point));
  });
}

}  // namespace tinyml
