// Values between the ONNX layout and channels-last.
#pragma once

#include "lib/ir/tensor.h"
#include "lib/support/threads.h"

namespace tinyml {

// [N, C, spatial...] to [N, spatial..., C] and back, float32; other ranks are copied. `to` is given type and shape.
void convert_to_channels_last(const Tensor& from, Tensor& to, ThreadPool& threads);
void convert_to_row_major(const Tensor& from, Tensor& to, ThreadPool& threads);

}  // namespace tinyml
