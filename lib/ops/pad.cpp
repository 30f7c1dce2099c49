// Pad: constant, reflect, edge or wrap; negative pads crop. Pads and fill value are inputs, axes an optional one. Works
// through one index table per axis, which states for every output index where it reads.
#include <algorithm>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"

namespace tinyml {
namespace {

constexpr std::int64_t kMostPad = std::int64_t{1} << 26U;  // index tables grow with it; far above any real padding

struct Pads {
  std::vector<std::int64_t> begin, end;  // per axis of the input
};

Pads spread(const std::vector<std::int64_t>& pads, const std::optional<std::vector<std::int64_t>>& axes,
            std::size_t rank) {
  Pads out{std::vector<std::int64_t>(rank, 0), std::vector<std::int64_t>(rank, 0)};
  std::vector<std::size_t> where;
  if (axes)
    where = normalize_axes(*axes, rank);
  else
    for (std::size_t i = 0; i < rank; ++i) where.push_back(i);
  if (pads.size() != 2 * where.size())
    throw Error("Pad with " + std::to_string(pads.size()) + " pads for " + std::to_string(where.size()) + " axes",
                "there must be two for each axis");
  for (const std::int64_t p : pads)
    if (p > kMostPad || p < -kMostPad) throw Error("a pad of " + std::to_string(p), "check the model's pads");
  for (std::size_t i = 0; i < where.size(); ++i) {
    out.begin[where[i]] = pads[i];
    out.end[where[i]] = pads[i + where.size()];
  }
  return out;
}

Shape padded(const Shape& shape, const Pads& pads) {
  Shape out(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t sum = pads.begin[i] + pads.end[i];
    if (shape[i].known() && shape[i].value + sum < 0)
      throw Error("Pad takes " + std::to_string(-sum) + " off a dimension of " + std::to_string(shape[i].value),
                  "the result must not be negative");
    if (shape[i].known())
      out[i] = shape[i].value + sum;
    else if (sum == 0)
      out[i] = shape[i];
  }
  return out;
}

std::vector<InferredValue> infer(const NodeView& node) {
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  const Shape* shape = node.input_shape(0);
  if (shape == nullptr) return {out};
  out.type.shape = Shape(shape->size());
  const auto pads = known_ints(node, 1);
  std::optional<std::vector<std::int64_t>> axes;
  if (node.has_input(3)) {
    axes = known_ints(node, 3);
    if (!axes) return {out};
  }
  if (pads) out.type.shape = padded(*shape, spread(*pads, axes, shape->size()));
  return {out};
}

enum class Mode : std::uint8_t { constant, reflect, edge, wrap };

Mode mode_of(const NodeView& node) {
  const std::string mode = node.text("mode", "constant");
  if (mode == "constant") return Mode::constant;
  if (mode == "reflect") return Mode::reflect;
  if (mode == "edge") return Mode::edge;
  if (mode == "wrap") return Mode::wrap;
  throw Error("Pad with mode '" + printable(mode) + "'", "the modes are constant, reflect, edge and wrap");
}

// Where index `i` (before 0 or at `size` and beyond when in the padding) reads.
std::int64_t source_index(std::int64_t i, std::int64_t size, Mode mode) {
  if (i >= 0 && i < size) return i;
  switch (mode) {
    case Mode::edge:
      return i < 0 ? 0 : size - 1;
    case Mode::wrap:
      return ((i % size) + size) % size;
    case Mode::reflect: {
      if (size == 1) return 0;
      const std::int64_t period = 2 * (size - 1), at = ((i % period) + period) % period;
      return at < size ? at : period - at;
    }
    case Mode::constant:
      break;
  }
  return -1;  // the fill value
}

// The entries of the axis that each output index reads. What negative pads crop is gone before the rest is mirrored or
// repeated, as in ONNX Runtime and PyTorch; the specification is silent.
std::vector<std::int64_t> axis_table(std::int64_t begin, std::int64_t end, std::int64_t size, Mode mode) {
  const std::int64_t first = mode == Mode::constant ? 0 : std::min(size, std::max<std::int64_t>(0, -begin));
  const std::int64_t left = mode == Mode::constant ? size : size - first - std::max<std::int64_t>(0, -end);
  std::vector<std::int64_t> table;
  for (std::int64_t i = -begin - first; i < size + end - first; ++i) {
    if (left <= 0 && mode != Mode::constant)
      throw Error("Pad crops all of a dimension of " + std::to_string(size), "only constant padding has values");
    const std::int64_t from = source_index(i, left, mode);
    table.push_back(from < 0 ? -1 : from + first);
  }
  return table;
}

void evaluate(EvalContext& context) {
  const Tensor& x = context.input(0);
  std::optional<std::vector<std::int64_t>> axes;
  if (context.has_input(3)) axes = to_int64s(context.input(3));
  const Pads pads = spread(to_int64s(context.input(1)), axes, x.rank());
  const Mode mode = mode_of(context.node);
  Tensor& out = context.output(0, x.dtype(), to_dims(padded(to_shape(x.dims()), pads)));
  if (out.size() == 0) return;
  std::vector<std::vector<std::int64_t>> tables(x.rank());
  for (std::size_t d = 0; d < x.rank(); ++d) tables[d] = axis_table(pads.begin[d], pads.end[d], x.dims()[d], mode);
  const std::byte* fill = nullptr;
  if (context.has_input(2)) {
    const Tensor& value = context.input(2);
    if (value.size() != 1 || value.dtype() != x.dtype())
      throw Error("the fill value of Pad is " + std::string(dtype_name(value.dtype())) + to_string(value.dims()),
                  "it must be a scalar of the input's type");
    fill = value.raw();
  }
  gather_axes(x, tables, fill, out, context.threads);
}

std::optional<AxisRule> axis_rule(const NodeView& node) {
  if (!rest_is_constant(node, 1)) return std::nullopt;
  if (!node.has_input(3)) return AxisRule{.per_axis = {1}, .numbers_per_axis = 2};
  return AxisRule{.axes_input = 3, .axes = *node.constant_ints(3)};
}

bool pads_nothing(const NodeView& node) { return is_filled_with(node, 1, 0); }

}  // namespace

const OpDef& op_pad() {
  static const OpDef op{.name = "Pad",
                        .min_inputs = 2,
                        .max_inputs = 4,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_follow,
                        .lower = lower_pad,
                        .int16 = takes_int16,
                        .axis_rule = axis_rule,
                        .is_no_op = pads_nothing};
  return op;
}

}  // namespace tinyml
