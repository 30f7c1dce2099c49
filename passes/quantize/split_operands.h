// Before quantization: operators that take as an operand what kernels have as a constant.
#pragma once

#include <memory>

#include "passes/pass.h"

namespace tinyml {

// A bias that is computed at run time, or that Gemm adds per row, becomes an Add behind its layer; PRelu with computed
// slopes becomes Relu(x) + slope * Min(x, 0); Clip with computed bounds becomes Max and Min. The parts have integer
// forms, the whole has none. Floats agree up to rounding.
std::unique_ptr<Pass> split_operands_pass();

}  // namespace tinyml
