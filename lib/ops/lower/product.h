// MatMul and Gemm of two operands with one zero point each: activations, or constants that no fully connected layer
// holds.
#pragma once

#include "lib/ops/lower/weighted.h"

namespace tinyml {

struct ProductSpec {
  bool b_transposed = false;
  double alpha = 1, beta = 1;
  const DeviceTensor* bias = nullptr;  // constant; one value per column, or one for all
};

LoweredNode lower_product(const LowerContext& context, const ProductSpec& product);

}  // namespace tinyml
