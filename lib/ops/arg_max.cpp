// ArgMax: index of the largest element along an axis, the first of equals or the last.
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"

namespace tinyml {
namespace {

template <class D>
std::vector<D> reduced(std::vector<D> shape, std::size_t axis, bool keep) {
  if (keep)
    shape[axis] = D(1);
  else
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return shape;
}

std::vector<InferredValue> infer(const NodeView& node) {
  InferredValue out{{DType::i64, std::nullopt}, {}};
  const std::int64_t axis = node.integer("axis", 0);
  if (const Shape* shape = node.input_shape(0))
    out.type.shape = reduced(*shape, normalize_axis(axis, shape->size()), node.integer("keepdims", 1) != 0);
  return {out};
}

template <class T>
std::int64_t position_of_most(const T* x, std::int64_t n, std::int64_t stride, bool last) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    const T value = x[i * stride], most = x[best * stride];
    if (value > most || (last && value == most)) best = i;
  }
  return best;
}

void evaluate(EvalContext& context) {
  Tensor storage;
  const Tensor& x = widen(context.input(0), storage);
  const std::size_t axis = normalize_axis(context.node.integer("axis", 0), x.rank());
  const std::int64_t n = x.dims()[axis], stride = row_major_strides(x.dims())[axis];
  const bool last = context.node.integer("select_last_index", 0) != 0;
  Tensor& out = context.output(0, DType::i64, reduced(x.dims(), axis, context.node.integer("keepdims", 1) != 0));
  if (n == 0 && out.size() != 0) throw Error("ArgMax along an empty dimension", "there is no largest element");
  auto to = out.data<std::int64_t>();
  visit_numeric(x.dtype(), "ArgMax", [&]<class T>(T) {
    const T* from = x.data<T>().data();
    const std::size_t grain =
        std::max<std::size_t>(1, kElementGrain / static_cast<std::size_t>(std::max<std::int64_t>(n, 1)));
    context.threads.parallel_for(to.size(), grain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t line = begin; line < end; ++line) {
        const auto l = static_cast<std::int64_t>(line);
        to[line] = position_of_most(from + l / stride * stride * n + l % stride, n, stride, last);
      }
    });
  });
}

std::optional<AxisRule> axis_rule(const NodeView& node) {
  AxisRule rule{.axis = node.integer("axis", 0)};
  if (node.integer("keepdims", 1) == 0) rule.removed = {*rule.axis};
  return rule;
}

}  // namespace

const OpDef& op_arg_max() {
  static const OpDef op{.name = "ArgMax",
                        .min_inputs = 1,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_integral,
                        .layout = layout_reduce,
                        .lower = lower_argmax,
                        .int16 = takes_int16,
                        .axis_rule = axis_rule};
  return op;
}

}  // namespace tinyml
