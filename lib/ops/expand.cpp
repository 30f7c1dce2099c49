// Expand: broadcasts the input against a shape. A view with strides of 0.
#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"

namespace tinyml {
namespace {

Shape expanded(const Shape& shape, const std::vector<Dim>& target) {
  Shape to;
  for (const Dim& d : target) to.push_back(element_to_dim(d));
  return broadcast(shape, to);
}

std::vector<InferredValue> infer(const NodeView& node) {
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  const auto target = node.known_elements(1);
  const Shape* shape = node.input_shape(0);
  if (shape == nullptr) return {out};
  if (target)
    out.type.shape = expanded(*shape, *target);
  else if (auto unknown = unknown_shape_of_length(node, 1); unknown)
    out.type.shape = Shape(std::max(unknown->size(), shape->size()));
  return {out};
}

void evaluate(EvalContext& context) {
  const Tensor& x = context.input(0);
  std::vector<Dim> target;
  for (const std::int64_t d : to_int64s(context.input(1))) target.push_back(shape_element(d));
  StridedView view{0, to_dims(expanded(to_shape(x.dims()), target)), {}};
  const Dims own = row_major_strides(x.dims());
  const std::size_t lead = view.dims.size() - x.rank();
  view.strides.assign(view.dims.size(), 0);
  for (std::size_t d = 0; d < x.rank(); ++d)
    if (x.dims()[d] != 1) view.strides[lead + d] = own[d];
  copy_view(x, view, context.output(0, x.dtype(), view.dims), context.threads);
}

}  // namespace

const OpDef& op_expand() {
  static const OpDef op{.name = "Expand",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_strided,
                        .lower = lower_expand,
                        .int16 = takes_int16,
                        .is_no_op = keeps_shape};
  return op;
}

}  // namespace tinyml
