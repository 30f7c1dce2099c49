// Tile: repeats the input along each axis. A view with two dimensions per axis, the outer one of stride 0.
#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

Shape tiled(const Shape& shape, const std::vector<Dim>& repeats) {
  if (repeats.size() != shape.size())
    throw Error("Tile with " + std::to_string(repeats.size()) + " repeats on rank " + std::to_string(shape.size()),
                "there must be one for each axis");
  Shape out;
  for (std::size_t i = 0; i < shape.size(); ++i) out.push_back(mul_dims(shape[i], element_to_dim(repeats[i])));
  return out;
}

std::vector<InferredValue> infer(const NodeView& node) {
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  const Shape* shape = node.input_shape(0);
  const auto repeats = node.known_elements(1);
  if (shape != nullptr) out.type.shape = repeats ? tiled(*shape, *repeats) : Shape(shape->size());
  return {out};
}

void evaluate(EvalContext& context) {
  const Tensor& x = context.input(0);
  std::vector<Dim> repeats;
  for (const std::int64_t r : to_int64s(context.input(1))) repeats.push_back(shape_element(r));
  const Dims dims = to_dims(tiled(to_shape(x.dims()), repeats)), strides = row_major_strides(x.dims());
  StridedView view;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    view.dims.insert(view.dims.end(), {repeats[d].value, x.dims()[d]});
    view.strides.insert(view.strides.end(), {0, strides[d]});
  }
  copy_view(x, view, context.output(0, x.dtype(), dims), context.threads);
}

bool repeats_once(const NodeView& node) { return is_filled_with(node, 1, 1); }

}  // namespace

const OpDef& op_tile() {
  static const OpDef op{.name = "Tile",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_strided,
                        .lower = lower_tile,
                        .int16 = takes_int16,
                        .axis_rule = axes_with_numbers,
                        .is_no_op = repeats_once};
  return op;
}

}  // namespace tinyml
