// The parameters of QuantizeLinear and DequantizeLinear nodes, read in one place: for evaluation, and for import, which
// makes annotations of them.
#pragma once

#include "lib/ops/node_view.h"

namespace tinyml {

// 4 to 16 bits, and int32 for biases.
bool is_quantized_type(DType type);

// One scale, or one for each index of attribute `axis` of the shape; zeros when there are no zero points. Error when
// scales, zero points and shape do not fit each other.
QuantParams read_quant_params(const NodeView& node, const Shape& shape, DType type, const Tensor& scales,
                              const Tensor* zero_points);

}  // namespace tinyml
