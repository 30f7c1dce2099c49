// Constants that hold integers, as the float32 values that they stand for; and the walk along a quantization axis.
#pragma once

#include "lib/ir/quant_params.h"
#include "lib/ir/tensor.h"

namespace tinyml {

// Throws Error unless scales, zero points, axis and shape fit each other.
void check_quant_params(const QuantParams& params, const Dims& dims);

// Calls visit(first element, count, index of the scale) for each run of elements with one scale; params checked.
template <class Visit>
void for_each_scale(const Dims& dims, const QuantParams& params, Visit visit) {
  const std::int64_t count = element_count(dims);
  if (!params.per_channel()) return visit(std::int64_t{0}, count, std::size_t{0});
  const auto axis = static_cast<std::size_t>(params.axis);
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < dims.size(); ++i) inner *= dims[i];
  for (std::int64_t at = 0; at < count; at += inner)
    visit(at, inner, static_cast<std::size_t>(at / inner % dims[axis]));
}

// (q - zero point) * scale, along the parameters' axis.
Tensor dequantize(const Tensor& integers, const QuantParams& params);

}  // namespace tinyml
