// Transpose: permutes dimensions; without `perm` it reverses them.
#include <algorithm>

#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::vector<std::size_t> permutation(const NodeView& node, std::size_t rank) {
  std::vector<std::int64_t> perm = node.integers("perm");
  if (!node.has("perm"))
    for (std::size_t i = rank; i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  if (perm.size() != rank)
    throw Error("Transpose of rank " + std::to_string(rank) + " by a permutation of " + std::to_string(perm.size()),
                "'perm' names each dimension once");
  return normalize_axes(perm, rank);
}

std::vector<InferredValue> infer(const NodeView& node) {
  const Shape* shape = node.input_shape(0);
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  if (shape == nullptr) return {out};
  out.type.shape.emplace();
  for (const std::size_t axis : permutation(node, shape->size())) out.type.shape->push_back((*shape)[axis]);
  return {out};
}

void evaluate(EvalContext& context) {
  const Tensor& x = context.input(0);
  const Dims strides = row_major_strides(x.dims());
  StridedView view;
  for (const std::size_t axis : permutation(context.node, x.rank())) {
    view.dims.push_back(x.dims()[axis]);
    view.strides.push_back(strides[axis]);
  }
  copy_view(x, view, context.output(0, x.dtype(), view.dims), context.threads);
}

bool keeps_order(const NodeView& node) {
  const auto perm = node.integers("perm");
  return !perm.empty() && std::is_sorted(perm.begin(), perm.end());  // without perm the axes are reversed
}

}  // namespace

const OpDef& op_transpose() {
  static const OpDef op{.name = "Transpose",
                        .min_inputs = 1,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_transpose,
                        .lower = lower_transpose,
                        .int16 = takes_int16,
                        .is_no_op = keeps_order};
  return op;
}

}  // namespace tinyml
