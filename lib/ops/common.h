// Helpers that several operators share: inference and evaluation of elementwise functions, layouts.
#pragma once

#include <functional>

#include "lib/ops/op_def.h"

namespace tinyml {

// Output 0 has the type of input 0.
std::vector<InferredValue> infer_same(const NodeView& node);
// Output 0 is the broadcast of all inputs, with the element type of input 0.
std::vector<InferredValue> infer_broadcast(const NodeView& node);

// y[i] = f(x[i]) on float32 (f64 and f16 too, through float/double), spread over threads.
void evaluate_unary(EvalContext& context, float (*f)(float));

}  // namespace tinyml
