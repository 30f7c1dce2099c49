// Softmax and LogSoftmax along one axis (semantics since opset 13; older flattening forms are upgraded at import). The
// maximum is subtracted first, so that exp cannot overflow; sums are kept in double.
#include <cmath>

#include "lib/math/elementary.h"
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"

namespace tinyml {
namespace {

std::vector<InferredValue> infer(const NodeView& node) {
  if (const Shape* shape = node.input_shape(0)) {
    if (shape->empty()) throw Error(node.node().op + " of a scalar", "it needs at least one dimension");
    (void)normalize_axis(node.integer("axis", -1), shape->size());
  }
  return infer_same_float(node);
}

// One line of n elements that are `stride` apart.
template <class T, bool log>
void softmax_line(const T* x, T* y, std::int64_t n, std::int64_t stride) {
  T most = -std::numeric_limits<T>::infinity();
  for (std::int64_t i = 0; i < n; ++i) most = std::max(most, x[i * stride]);
  double sum = 0;
  if (stride == 1)  // a loop of its own: it vectorizes
    for (std::int64_t i = 0; i < n; ++i) y[i] = math::exponential(x[i] - most);
  else
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] = math::exponential(x[i * stride] - most);
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(y[i * stride]);
  if constexpr (log) {
    const T shift = static_cast<T>(std::log(sum));
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] = x[i * stride] - most - shift;
  } else {
    const T scale = static_cast<T>(1 / sum);
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] *= scale;
  }
}

template <bool log>
void evaluate(EvalContext& context) {
  Tensor storage;
  const Tensor& x = widen(context.input(0), storage);
  const DType dtype = context.input(0).dtype();
  if (x.rank() == 0) throw Error(context.node.node().op + " of a scalar", "it needs at least one dimension");
  const std::size_t axis = normalize_axis(context.node.integer("axis", -1), x.rank());
  Tensor& y = context.output(0, x.dtype(), x.dims());
  if (x.size() != 0) {
    const std::int64_t n = x.dims()[axis], stride = row_major_strides(x.dims())[axis];
    const std::size_t grain = std::max<std::size_t>(1, 1024 / static_cast<std::size_t>(n));
    visit_float(x.dtype(), context.node.node().op, [&]<class T>(T) {
      const T* from = x.data<T>().data();
      T* to = y.data<T>().data();
      context.threads.parallel_for(
          static_cast<std::size_t>(x.size() / n), grain, [=](std::size_t begin, std::size_t end) {
            for (auto line = static_cast<std::int64_t>(begin); line < static_cast<std::int64_t>(end); ++line) {
              const std::int64_t at = line / stride * stride * n + line % stride;
              softmax_line<T, log>(from + at, to + at, n, stride);
            }
          });
    });
  }
  if (is_half(dtype)) y = convert(y, dtype);
}

QuantRule quant_softmax(const NodeView&) {
  return {.kind = QuantKind::fixed, .fixed_scale = 1.0F / 256, .fixed_zero_point = -128};
}
QuantRule quant_log_softmax(const NodeView&) {
  return {.kind = QuantKind::fixed, .fixed_scale = 16.0F / 256, .fixed_zero_point = 127};
}

std::optional<AxisRule> axis_rule(const NodeView& node) { return AxisRule{.axis = node.integer("axis", -1)}; }

}  // namespace

const OpDef& op_softmax() {
  static const OpDef op{.name = "Softmax",
                        .min_inputs = 1,
                        .infer = infer,
                        .evaluate = evaluate<false>,
                        .quant_rule = quant_softmax,
                        .layout = layout_follow,
                        .lower = lower_softmax,
                        .int16 = takes_int16,
                        .axis_rule = axis_rule};
  return op;
}

const OpDef& op_log_softmax() {
  static const OpDef op{.name = "LogSoftmax",
                        .min_inputs = 1,
                        .infer = infer,
                        .evaluate = evaluate<true>,
                        .quant_rule = quant_log_softmax,
                        .layout = layout_follow,
                        .lower = lower_log_softmax,
                        .axis_rule = axis_rule};
  return op;
}

}  // namespace tinyml
