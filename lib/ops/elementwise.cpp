// Planning of broadcast walks.
#include "lib/ops/elementwise.h"

#include <algorithm>

namespace tinyml {

void refuse_dtype(std::string_view op, DType type) {
  throw Error(std::string(op) + " of " + std::string(dtype_name(type)) + " is not supported",
              "insert a Cast to another element type");
}

const Tensor& widen(const Tensor& tensor, Tensor& storage) {
  if (!is_half(tensor.dtype())) return tensor;
  storage = convert(tensor, DType::f32);
  return storage;
}

namespace {

// Strides of `dims` as seen from a result of `out`: 0 where a dimension of 1 is repeated or missing.
Dims broadcast_strides(const Dims& dims, const Dims& out) {
  const Dims own = row_major_strides(dims);
  Dims strides(out.size(), 0);
  const std::size_t lead = out.size() - dims.size();
  for (std::size_t d = 0; d < dims.size(); ++d)
    if (dims[d] != 1) strides[lead + d] = own[d];
  return strides;
}

}  // namespace

template <std::size_t N>
BroadcastPlan<N> plan_broadcast(const std::array<const Tensor*, N>& operands) {
  BroadcastPlan<N> plan;
  plan.out_dims = operands[0]->dims();
  for (const Tensor* t : operands) plan.out_dims = broadcast(plan.out_dims, t->dims());
  std::array<Dims, N> strides;
  for (std::size_t k = 0; k < N; ++k) strides[k] = broadcast_strides(operands[k]->dims(), plan.out_dims);
  for (std::size_t d = 0; d < plan.out_dims.size(); ++d) {
    const std::int64_t size = plan.out_dims[d];
    if (size == 1) continue;
    bool merges = !plan.dims.empty();
    for (std::size_t k = 0; merges && k < N; ++k) merges = plan.strides[k].back() == size * strides[k][d];
    if (merges)
      plan.dims.back() *= size;
    else
      plan.dims.push_back(size);
    for (std::size_t k = 0; k < N; ++k) {
      if (merges)
        plan.strides[k].back() = strides[k][d];
      else
        plan.strides[k].push_back(strides[k][d]);
    }
  }
  if (plan.dims.empty()) {
    plan.dims.push_back(1);
    for (Dims& s : plan.strides) s.push_back(0);
  }
  return plan;
}
template BroadcastPlan<1> plan_broadcast(const std::array<const Tensor*, 1>&);
template BroadcastPlan<2> plan_broadcast(const std::array<const Tensor*, 2>&);
template BroadcastPlan<3> plan_broadcast(const std::array<const Tensor*, 3>&);

}  // namespace tinyml
