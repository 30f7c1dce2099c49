// Constants that hold integers, as the float32 values that they stand for.
#pragma once

#include "lib/ir/quant_params.h"
#include "lib/ir/tensor.h"

namespace tinyml {

// (q - zero point) * scale, along the parameters' axis. Error when scales and shape do not fit.
Tensor dequantize(const Tensor& integers, const QuantParams& params);

}  // namespace tinyml
