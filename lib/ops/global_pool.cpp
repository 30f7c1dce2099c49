// An empty plane has neither a mean nor a maximum, so it is an Error.
#include "lib/ops/global_pool.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {
namespace {

template <class T>
void compute(EvalContext& context, PlaneReduction<T> reduce, std::int64_t planes, std::int64_t count, Tensor& out) {
  const T* x = context.input(0).data<T>().data();
  T* y = out.data<T>().data();
  constexpr std::int64_t kGrain = 1 << 14;
  const auto grain = static_cast<std::size_t>(std::max<std::int64_t>(1, kGrain / count));
  context.threads.parallel_for(static_cast<std::size_t>(planes), grain, [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) y[i] = reduce(x + static_cast<std::int64_t>(i) * count, count);
  });
}

}  // namespace

std::vector<InferredValue> infer_global_pool(const NodeView& node) {
  TensorType out = node.input_type(0);
  if (!out.shape) return {{out, {}}};
  if (out.shape->size() < 2) throw Error("the input has shape " + to_string(*out.shape), "expected [N, C, ...]");
  for (std::size_t i = 2; i < out.shape->size(); ++i) {
    if ((*out.shape)[i] == Dim(0))
      throw Error("the input has an empty axis: " + to_string(*out.shape), "nothing to pool");
    (*out.shape)[i] = Dim(1);
  }
  return {{out, {}}};
}

void evaluate_global_pool(EvalContext& context, PlaneReduction<float> f32, PlaneReduction<double> f64) {
  const Tensor& input = context.input(0);
  if (input.rank() < 2) throw Error("the input has shape " + to_string(input.dims()), "expected [N, C, ...]");
  Dims dims = input.dims();
  std::fill(dims.begin() + 2, dims.end(), 1);
  Tensor& out = context.output(0, input.dtype(), dims);
  const std::int64_t planes = dims[0] * dims[1];
  if (planes == 0) return;
  const std::int64_t count = input.size() / planes;
  if (count == 0) throw Error("the input has an empty axis: " + to_string(input.dims()), "nothing to pool");
  if (input.dtype() == DType::f32) return compute<float>(context, f32, planes, count, out);
  if (input.dtype() == DType::f64) return compute<double>(context, f64, planes, count, out);
  throw Error("global pooling of " + std::string(dtype_name(input.dtype())) + " is not supported", "use float32");
}

}  // namespace tinyml
