// ReduceMean, ReduceSum, ReduceMax, ReduceMin over the axes of input 1 (none: all, or none at all with
// noop_with_empty_axes). Floating point sums are kept in double, in row-major order: the result depends neither on the
// number of threads nor on which dimensions happen to merge.
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"

namespace tinyml {
namespace {

using Ints = std::vector<std::int64_t>;

// Which axes go; nullopt: the operator is the identity.
std::optional<std::vector<bool>> reduced_axes(const NodeView& node, const Ints& axes, std::size_t rank) {
  if (axes.empty() && node.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
  std::vector<bool> gone(rank, axes.empty());
  for (const std::size_t a : normalize_axes(axes, rank)) gone[a] = true;
  return gone;
}

template <class D>
std::vector<D> reduced_shape(const std::vector<D>& shape, const std::vector<bool>& gone, bool keep) {
  std::vector<D> out;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!gone[i])
      out.push_back(shape[i]);
    else if (keep)
      out.push_back(D(1));
  }
  return out;
}

std::vector<InferredValue> infer(const NodeView& node) {
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  const Shape* shape = node.input_shape(0);
  const auto axes = node.has_input(1) ? known_ints(node, 1) : Ints{};
  const bool keep = node.integer("keepdims", 1) != 0;
  if (shape == nullptr) return {out};
  if (!axes) {
    if (keep) out.type.shape = Shape(shape->size());
    return {out};
  }
  const auto gone = reduced_axes(node, *axes, shape->size());
  out.type.shape = gone ? reduced_shape(*shape, *gone, keep) : *shape;
  return {out};
}

// Sums of floats in double, of integers modulo 2^64.
template <class T>
using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

struct Add {
  template <class T>
  using Acc = Sum<T>;
  template <class T>
  static Acc<T> start() {
    return 0;
  }
  template <class T>
  static void step(Acc<T>& acc, T x) {
    acc += static_cast<Acc<T>>(x);
  }
  template <class T>
  static T finish(Acc<T> acc, std::int64_t) {
    return static_cast<T>(acc);
  }
};
struct Average : Add {
  template <class T>
  static T finish(Sum<T> acc, std::int64_t n) {
    if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(acc / static_cast<double>(n));
    else if constexpr (std::is_signed_v<T>)
      return n == 0 ? T{0} : static_cast<T>(static_cast<std::int64_t>(acc) / n);
    else
      return n == 0 ? T{0} : static_cast<T>(acc / static_cast<std::uint64_t>(n));
  }
};
struct Order {};  // defined on bool too
template <bool most>
struct Extreme : Order {
  template <class T>
  using Acc = T;
  template <class T>
  static T start() {
    using L = std::numeric_limits<T>;
    if constexpr (std::is_floating_point_v<T>) return most ? -L::infinity() : L::infinity();
    return most ? L::lowest() : L::max();
  }
  template <class T>
  static void step(T& acc, T x) {
    if ((most ? x > acc : x < acc) || x != x) acc = x;  // a NaN stays: nothing compares with it
  }
  template <class T>
  static T finish(T acc, std::int64_t) {
    return acc;
  }
};

// The kept dimensions as one walk, the reduced ones as another.
struct ReducePlan {
  StridedView kept, reduced;
  Dims out_dims;
  std::int64_t count = 1;
};

ReducePlan make_plan(const Dims& dims, const std::vector<bool>& gone, bool keep) {
  ReducePlan plan;
  const Dims strides = row_major_strides(dims);
  for (std::size_t d = 0; d < dims.size(); ++d) {
    StridedView& view = gone[d] ? plan.reduced : plan.kept;
    if (gone[d]) plan.count *= dims[d];
    if (dims[d] == 1) continue;
    if (!view.dims.empty() && view.strides.back() == dims[d] * strides[d]) {
      view.dims.back() *= dims[d];
      view.strides.back() = strides[d];
    } else {
      view.dims.push_back(dims[d]);
      view.strides.push_back(strides[d]);
    }
  }
  for (StridedView* view : {&plan.kept, &plan.reduced})
    if (view->dims.empty()) {
      view->dims.push_back(1);
      view->strides.push_back(0);
    }
  plan.out_dims = reduced_shape(dims, gone, keep);
  return plan;
}

// All elements of the reduced view from `base` on, in row-major order, `width` outputs side by side `step` apart: that
// keeps the memory order when the innermost kept dimension is the contiguous one (channels last).
template <class F, class T>
void accumulate(const T* base, const BroadcastPlan<1>& reduced, std::size_t count, std::int64_t step, std::size_t width,
                typename F::template Acc<T>* acc) {
  const std::int64_t stride = reduced.strides[0].back();
  walk_rows(reduced, 0, count, [&](std::size_t, const std::array<std::int64_t, 1>& offset, std::int64_t n) {
    const T* row = base + offset[0];
    if (width == 1) {
      for (std::int64_t i = 0; i < n; ++i) F::template step<T>(*acc, row[i * stride]);
      return;
    }
    for (std::int64_t i = 0; i < n; ++i)
      for (std::size_t w = 0; w < width; ++w)
        F::template step<T>(acc[w], row[i * stride + static_cast<std::int64_t>(w) * step]);
  });
}

template <class F, class T>
void reduce_into(const Tensor& x, const ReducePlan& plan, Tensor& out, ThreadPool& threads) {
  using Acc = typename F::template Acc<T>;
  constexpr std::size_t kWidth = 64;  // accumulators side by side: eight cache lines of doubles
  const T* from = x.data<T>().data();
  T* to = out.data<T>().data();
  const BroadcastPlan<1> kept{{}, plan.kept.dims, {plan.kept.strides}};
  const BroadcastPlan<1> reduced{{}, plan.reduced.dims, {plan.reduced.strides}};
  const auto count = static_cast<std::size_t>(plan.count);
  const std::int64_t step = plan.kept.strides.back();
  const std::size_t grain = std::max<std::size_t>(1, kElementGrain / std::max<std::size_t>(1, count));
  const auto body = [&](std::size_t begin, std::size_t end) {
    walk_rows(kept, begin, end, [&](std::size_t at, const std::array<std::int64_t, 1>& offset, std::int64_t n) {
      const std::size_t most = step == 1 ? kWidth : 1;
      for (std::size_t i = 0; i < static_cast<std::size_t>(n);) {
        const std::size_t width = std::min(most, static_cast<std::size_t>(n) - i);
        std::array<Acc, kWidth> acc;
        acc.fill(F::template start<T>());
        accumulate<F, T>(from + offset[0] + static_cast<std::int64_t>(i) * step, reduced, count, step, width,
                         acc.data());
        for (std::size_t w = 0; w < width; ++w) to[at + i + w] = F::template finish<T>(acc[w], plan.count);
        i += width;
      }
    });
  };
  threads.parallel_for(static_cast<std::size_t>(out.size()), grain, body);
}

template <class F>
void evaluate(EvalContext& context) {
  const Tensor& given = context.input(0);
  const auto gone = reduced_axes(context.node, ints_of(context, 1), given.rank());
  if (!gone) return copy_with_dims(context, given.dims());
  Tensor storage;
  const Tensor& x = widen(given, storage);
  const ReducePlan plan = make_plan(x.dims(), *gone, context.node.integer("keepdims", 1) != 0);
  Tensor& out = context.output(0, x.dtype(), plan.out_dims);
  const auto run = [&]<class T>(T) { reduce_into<F, T>(x, plan, out, context.threads); };
  if (std::is_base_of_v<Order, F> && x.dtype() == DType::boolean) {
    run(std::uint8_t{});
    for (std::uint8_t& v : out.data<std::uint8_t>()) v = std::min<std::uint8_t>(v, 1);  // the minimum of nothing
    return;
  }
  visit_numeric(x.dtype(), context.node.node().op, run);
  if (is_half(given.dtype())) out = convert(out, given.dtype());
}

std::optional<AxisRule> axis_rule(const NodeView& node) {
  const Shape* shape = node.input_shape(0);
  const auto axes = node.has_input(1) ? node.constant_ints(1) : Ints{};
  if (shape == nullptr || !axes) return std::nullopt;
  const auto gone = reduced_axes(node, *axes, shape->size());
  if (!gone) return std::nullopt;
  AxisRule rule;
  if (node.has_input(1)) rule.axes_input = 1;
  rule.axes = *axes;
  if (node.integer("keepdims", 1) != 0) return rule;
  for (std::size_t i = 0; i < gone->size(); ++i)
    if ((*gone)[i]) rule.removed.push_back(static_cast<std::int64_t>(i));
  return rule;
}

template <class F>
OpDef make(std::string_view name, QuantRuleFn rule, LowerFn lower, Int16Fn int16 = nullptr) {
  return {.name = name,
          .min_inputs = 1,
          .max_inputs = 2,
          .infer = infer,
          .evaluate = evaluate<F>,
          .quant_rule = rule,
          .layout = layout_reduce,
          .lower = lower,
          .int16 = int16,
          .axis_rule = axis_rule};
}

}  // namespace

const OpDef& op_reduce_mean() {
  static const OpDef op = make<Average>("ReduceMean", quant_own_range, lower_reduce_mean, takes_int16);
  return op;
}
const OpDef& op_reduce_sum() {
  static const OpDef op = make<Add>("ReduceSum", quant_own_range, lower_reduce_sum, takes_int16);
  return op;
}
const OpDef& op_reduce_max() {
  static const OpDef op = make<Extreme<true>>("ReduceMax", quant_same_as_input, lower_reduce_max);
  return op;
}
const OpDef& op_reduce_min() {
  static const OpDef op = make<Extreme<false>>("ReduceMin", quant_same_as_input, lower_reduce_min);
  return op;
}

}  // namespace tinyml
