// Shape: the input's dimensions from `start` to `end` as int64. The root of all shape arithmetic.
#include <algorithm>

#include "lib/ops/common.h"

namespace tinyml {
namespace {

// The part [first, second) of a rank, clamped as the specification says.
std::pair<std::size_t, std::size_t> part(const NodeView& node, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  const auto clamped = [r](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + r : at, 0, r); };
  const std::int64_t start = clamped(node.integer("start", 0)), end = clamped(node.integer("end", r));
  return {static_cast<std::size_t>(start), static_cast<std::size_t>(std::max(start, end))};
}

std::vector<InferredValue> infer(const NodeView& node) {
  const Shape* shape = node.input_shape(0);
  if (shape == nullptr) return {{{DType::i64, Shape(1)}, {}}};
  const auto [start, end] = part(node, shape->size());
  std::vector<Dim> dims(shape->begin() + static_cast<std::ptrdiff_t>(start),
                        shape->begin() + static_cast<std::ptrdiff_t>(end));
  InferredValue out{{DType::i64, Shape{Dim(static_cast<std::int64_t>(dims.size()))}}, {}};
  out.known_elements = std::move(dims);
  return {out};
}

void evaluate(EvalContext& context) {
  const Dims& dims = context.input(0).dims();
  const auto [start, end] = part(context.node, dims.size());
  auto out = context.output(0, DType::i64, {static_cast<std::int64_t>(end - start)}).data<std::int64_t>();
  std::copy(dims.begin() + static_cast<std::ptrdiff_t>(start), dims.begin() + static_cast<std::ptrdiff_t>(end),
            out.begin());
}

}  // namespace

const OpDef& op_shape() {
  static const OpDef op{
      .name = "Shape", .min_inputs = 1, .infer = infer, .evaluate = evaluate, .quant_rule = quant_integral};
  return op;
}

}  // namespace tinyml
