// Split: parts along an axis, of the lengths in input 1, or num_outputs parts of equal length (the last may be
// shorter). Without either, as many equal parts as there are outputs.
#include <numeric>

#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::vector<std::int64_t> equal_parts(const NodeView& node, std::int64_t size) {
  const auto outputs = static_cast<std::int64_t>(node.output_count());
  const std::int64_t parts = node.integer("num_outputs", outputs);
  if (parts != outputs)
    throw Error("Split with num_outputs " + std::to_string(parts) + " and " + std::to_string(outputs) + " outputs",
                "they must agree");
  const std::int64_t length = (size + parts - 1) / parts;
  if (length * (parts - 1) > size || (!node.has("num_outputs") && length * parts != size))
    throw Error("Split of a dimension of " + std::to_string(size) + " into " + std::to_string(parts) + " parts",
                "give the lengths in input 'split'");
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(parts), length);
  lengths.back() = size - length * (parts - 1);
  return lengths;
}

void check_lengths(const NodeView& node, const std::vector<std::int64_t>& lengths, std::int64_t size) {
  std::int64_t rest = size;
  bool fits = lengths.size() == node.output_count();
  for (const std::int64_t n : lengths) {
    fits = fits && n >= 0 && n <= rest;
    if (fits) rest -= n;
  }
  if (!fits || rest != 0)
    throw Error("Split of a dimension of " + std::to_string(size) + " into " + to_string(Dims(lengths)),
                "the lengths must add up to the dimension, one per output");
}

std::vector<InferredValue> infer(const NodeView& node) {
  const DType dtype = node.input_type(0).dtype;
  std::vector<InferredValue> out(node.output_count(), InferredValue{{dtype, std::nullopt}, {}});
  const Shape* shape = node.input_shape(0);
  if (shape == nullptr) return out;
  const std::size_t axis = normalize_axis(node.integer("axis", 0), shape->size());
  const Dim& d = (*shape)[axis];
  std::optional<std::vector<std::int64_t>> lengths;
  if (node.has_input(1)) {
    lengths = known_ints(node, 1);
    if (lengths && d.known()) check_lengths(node, *lengths, d.value);
    if (lengths && lengths->size() != out.size()) check_lengths(node, *lengths, -1);
  } else if (d.known()) {
    lengths = equal_parts(node, d.value);
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].type.shape = *shape;
    (*out[i].type.shape)[axis] = lengths && (*lengths)[i] >= 0 ? Dim((*lengths)[i]) : Dim();
  }
  if (const auto elements = node.known_elements(0); elements && lengths && shape->size() == 1) {
    auto at = elements->begin();
    for (std::size_t i = 0; i < out.size() && elements->end() - at >= (*lengths)[i]; at += (*lengths)[i++])
      out[i].known_elements = std::vector<Dim>(at, at + (*lengths)[i]);
  }
  return out;
}

void evaluate(EvalContext& context) {
  const Tensor& x = context.input(0);
  const std::size_t axis = normalize_axis(context.node.integer("axis", 0), x.rank());
  const std::int64_t size = x.dims()[axis];
  const std::vector<std::int64_t> lengths =
      context.has_input(1) ? to_int64s(context.input(1)) : equal_parts(context.node, size);
  check_lengths(context.node, lengths, size);
  StridedView view{0, x.dims(), row_major_strides(x.dims())};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    view.dims[axis] = lengths[i];
    if (context.wants_output(i)) copy_view(x, view, context.output(i, x.dtype(), view.dims), context.threads);
    view.offset += lengths[i] * view.strides[axis];
  }
}

std::optional<AxisRule> axis_rule(const NodeView& node) { return AxisRule{.axis = node.integer("axis", 0)}; }

bool has_one_output(const NodeView& node) { return node.output_count() == 1; }

}  // namespace

const OpDef& op_split() {
  static const OpDef op{.name = "Split",
                        .min_inputs = 1,
                        .max_inputs = 2,
                        .max_outputs = -1,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_strided,
                        .lower = lower_split,
                        .int16 = takes_int16,
                        .axis_rule = axis_rule,
                        .is_no_op = has_one_output};
  return op;
}

}  // namespace tinyml
