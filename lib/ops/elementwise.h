// Elementwise evaluation: one walk over broadcast operands for every type and function. Adjacent dimensions along which
// all operands advance alike are merged first, so that the common cases (same shape, scalar, per channel, per row) end
// in a contiguous inner loop that the compiler vectorizes; the rest is an odometer. Each output element is computed
// from its own operands alone: the number of threads cannot show.
#pragma once

#include <array>
#include <type_traits>

#include "lib/ir/visit_dtype.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml {

constexpr std::size_t kElementGrain = std::size_t{1} << 14U;  // elements per thread: below, waking one costs more

[[noreturn]] void refuse_dtype(std::string_view op, DType type);

// Calls visit(T{}) with the C++ type of an element; half types are not among them (see widen).
template <class Visit>
void visit_float(DType type, std::string_view op, Visit&& visit) {
  if (type == DType::f32) return visit(float{});
  if (type == DType::f64) return visit(double{});
  refuse_dtype(op, type);
}
template <class Visit>
void visit_numeric(DType type, std::string_view op, Visit&& visit) {
  if (!visit_arithmetic(type, visit)) refuse_dtype(op, type);
}

constexpr bool is_half(DType type) { return type == DType::f16 || type == DType::bf16; }

// The tensor itself, or, for half precision, its float32 copy in `storage`: arithmetic on halves is float arithmetic
// rounded at the end.
const Tensor& widen(const Tensor& tensor, Tensor& storage);

// y[i] = f(x[i]) with x and y of one type T.
template <class T, class F>
void map_into(const Tensor& x, Tensor& y, ThreadPool& threads, F f) {
  const T* in = x.data<T>().data();
  T* out = y.data<T>().data();
  threads.parallel_for(static_cast<std::size_t>(x.size()), kElementGrain, [=](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = static_cast<T>(f(in[i]));
  });
}

// Output 0 = f(input 0), f a generic lambda. Floating point types only, or every numeric type.
template <class F, bool integers = false>
void map_input(EvalContext& context, F f) {
  const Tensor& x = context.input(0);
  const std::string& op = context.node.node().op;
  if (is_half(x.dtype())) {
    const Tensor wide = convert(x, DType::f32);
    Tensor result(DType::f32, x.dims());
    map_into<float>(wide, result, context.threads, f);
    context.output(0, x.dtype(), x.dims()) = convert(result, x.dtype());
    return;
  }
  const auto run = [&]<class T>(T) { map_into<T>(x, context.output(0, x.dtype(), x.dims()), context.threads, f); };
  if constexpr (integers)
    visit_numeric(x.dtype(), op, run);
  else
    visit_float(x.dtype(), op, run);
}
template <class F>
void map_float(EvalContext& context, F f) {
  map_input<F, false>(context, f);
}
template <class F>
void map_numeric(EvalContext& context, F f) {
  map_input<F, true>(context, f);
}

// How N operands walk over a broadcast result: merged dimensions, and each operand's stride (0 where it repeats).
template <std::size_t N>
struct BroadcastPlan {
  Dims out_dims;  // as the result has them
  Dims dims;      // merged; the last is the inner loop
  std::array<Dims, N> strides;
};
template <std::size_t N>
BroadcastPlan<N> plan_broadcast(const std::array<const Tensor*, N>& operands);
extern template BroadcastPlan<1> plan_broadcast(const std::array<const Tensor*, 1>&);
extern template BroadcastPlan<2> plan_broadcast(const std::array<const Tensor*, 2>&);
extern template BroadcastPlan<3> plan_broadcast(const std::array<const Tensor*, 3>&);

// Calls row(out_offset, operand_offsets, length) for pieces of inner rows that cover the elements [begin, end).
template <std::size_t N, class Row>
void walk_rows(const BroadcastPlan<N>& plan, std::size_t begin, std::size_t end, Row&& row) {
  if (begin >= end) return;  // also when a dimension is 0
  const std::size_t rank = plan.dims.size();
  std::array<std::int64_t, N> offsets{};
  Dims index(rank, 0);
  auto rest = static_cast<std::int64_t>(begin);
  for (std::size_t d = rank; d-- > 0;) {
    index[d] = rest % plan.dims[d];
    rest /= plan.dims[d];
    for (std::size_t k = 0; k < N; ++k) offsets[k] += index[d] * plan.strides[k][d];
  }
  for (std::size_t at = begin; at < end;) {
    const std::int64_t length = std::min(plan.dims[rank - 1] - index[rank - 1], static_cast<std::int64_t>(end - at));
    row(at, offsets, length);
    at += static_cast<std::size_t>(length);
    index[rank - 1] += length;
    for (std::size_t k = 0; k < N; ++k) offsets[k] += length * plan.strides[k][rank - 1];
    for (std::size_t d = rank; d-- > 1 && index[d] == plan.dims[d];) {
      index[d] = 0;
      ++index[d - 1];
      for (std::size_t k = 0; k < N; ++k) offsets[k] += plan.strides[k][d - 1] - plan.dims[d] * plan.strides[k][d];
    }
  }
}

// out = f(a, b) over the broadcast of a and b.
template <class T, class U, class R, class F>
void zip_into(const BroadcastPlan<2>& plan, const Tensor& a, const Tensor& b, Tensor& out, ThreadPool& threads, F f) {
  const T* pa = a.data<T>().data();
  const U* pb = b.data<U>().data();
  R* po = out.data<R>().data();
  const bool step_a = plan.strides[0].back() != 0, step_b = plan.strides[1].back() != 0;
  const auto row = [=](std::size_t at, const std::array<std::int64_t, 2>& offset, std::int64_t n) {
    const T* x = pa + offset[0];
    const U* y = pb + offset[1];
    R* z = po + at;
    const T x0 = *x;
    const U y0 = *y;
    if (step_a && step_b)
      for (std::int64_t i = 0; i < n; ++i) z[i] = static_cast<R>(f(x[i], y[i]));
    else if (step_a)
      for (std::int64_t i = 0; i < n; ++i) z[i] = static_cast<R>(f(x[i], y0));
    else if (step_b)
      for (std::int64_t i = 0; i < n; ++i) z[i] = static_cast<R>(f(x0, y[i]));
    else
      for (std::int64_t i = 0; i < n; ++i) z[i] = static_cast<R>(f(x0, y0));
  };
  threads.parallel_for(static_cast<std::size_t>(out.size()), kElementGrain,
                       [&](std::size_t begin, std::size_t end) { walk_rows(plan, begin, end, row); });
}

// result = f(a, b) for operands of one numeric type.
template <class F>
void zip_numeric(std::string_view op, const Tensor& a, const Tensor& b, Tensor& result, ThreadPool& threads, F f) {
  Tensor wide_a, wide_b;
  const Tensor &x = widen(a, wide_a), &y = widen(b, wide_b);
  const auto plan = plan_broadcast<2>({&x, &y});
  result.reset(x.dtype(), plan.out_dims);
  visit_numeric(x.dtype(), op, [&]<class T>(T) { zip_into<T, T, T>(plan, x, y, result, threads, f); });
  if (is_half(a.dtype())) result = convert(result, a.dtype());
}
template <class F>
void zip_inputs(EvalContext& context, F f) {
  Tensor& out = context.output(0, context.input(0).dtype(), {0});
  zip_numeric(context.node.node().op, context.input(0), context.input(1), out, context.threads, f);
}

// Integer arithmetic that wraps around instead of being undefined.
template <class T, class F>
T wrapping(T a, T b, F f) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(f(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
  else
    return f(a, b);
}

}  // namespace tinyml
