// Ranges to QuantParams, and tensors to integers and back. Formulas: Jacob et al. 2018, arXiv:1712.05877, section 2.
#pragma once

#include "lib/ir/quant_params.h"
#include "lib/ir/tensor.h"
#include "lib/quant/range.h"

namespace tinyml {

// Activation parameters for a range, widened to contain 0 so that 0 is exact. Asymmetric: min..max onto the whole type.
// Symmetric: zero point 0 (128 for uint8), scale = max |x| / 127. A range of nothing but 0 gets scale 1.
QuantParams activation_params(Range range, DType type, bool symmetric);

// Symmetric weight parameters: scale = max |w| / 127 (7 for int4) per index of `axis`, or of the whole tensor for axis
// -1. Channels of nothing but zeros take the largest channel's scale (1 when all are).
QuantParams weight_params(const Tensor& weights, int axis, DType type);

// round half to even(x / scale) + zero point, saturated to the type; weights stay off -128. Float32 arithmetic, as
// ONNX QuantizeLinear.
Tensor quantize_tensor(const Tensor& real, const QuantParams& params);
// (q - zero point) * scale in float32.
Tensor dequantize_tensor(const Tensor& integers, const QuantParams& params);

}  // namespace tinyml
