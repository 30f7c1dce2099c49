// What GlobalAveragePool and GlobalMaxPool share: one result per image and channel.
#pragma once

#include "lib/ops/op_def.h"

namespace tinyml {

std::vector<InferredValue> infer_global_pool(const NodeView& node);

// reduce(plane, count) for each plane of the input.
template <class T>
using PlaneReduction = T (*)(const T* plane, std::int64_t count);
void evaluate_global_pool(EvalContext& context, PlaneReduction<float> f32, PlaneReduction<double> f64);

}  // namespace tinyml
