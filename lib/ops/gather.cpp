// Gather: picks slices of input 0 along an axis by integer indices; negative ones count from the end.
#include <cstring>

#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// dims with the axis replaced by the dimensions of the indices.
template <class T>
std::vector<T> splice(const std::vector<T>& data, std::size_t axis, const std::vector<T>& indices) {
  std::vector<T> out(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(axis));
  out.insert(out.end(), indices.begin(), indices.end());
  out.insert(out.end(), data.begin() + static_cast<std::ptrdiff_t>(axis) + 1, data.end());
  return out;
}

std::int64_t checked(std::int64_t index, std::int64_t size) {
  if (index < -size || index >= size)
    throw Error("index " + std::to_string(index) + " of Gather is outside of a dimension of " + std::to_string(size),
                "indices lie in [-size, size)");
  return index < 0 ? index + size : index;
}

std::optional<std::vector<Dim>> infer_elements(const NodeView& node) {
  const auto data = node.known_elements(0);
  const auto indices = known_ints(node, 1);
  const Shape* shape = node.input_shape(0);
  if (!data || !indices || shape == nullptr || shape->size() != 1) return std::nullopt;
  std::vector<Dim> out;
  for (const std::int64_t i : *indices)
    out.push_back((*data)[static_cast<std::size_t>(checked(i, static_cast<std::int64_t>(data->size())))]);
  return out;
}

std::vector<InferredValue> infer(const NodeView& node) {
  const DType index_type = node.input_type(1).dtype;
  if (!is_integer(index_type))
    throw Error("indices of Gather are " + std::string(dtype_name(index_type)), "they must be integers");
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, infer_elements(node)};
  const Shape *data = node.input_shape(0), *indices = node.input_shape(1);
  if (data == nullptr) return {out};
  const std::size_t axis = normalize_axis(node.integer("axis", 0), data->size());
  if (indices != nullptr) out.type.shape = splice(*data, axis, *indices);
  return {out};
}

void evaluate(EvalContext& context) {
  const Tensor &data = context.input(0), &indices = context.input(1);
  const std::size_t axis = normalize_axis(context.node.integer("axis", 0), data.rank());
  const std::int64_t size = data.dims()[axis];
  std::vector<std::int64_t> picks = to_int64s(indices);
  for (std::int64_t& i : picks) i = checked(i, size);
  Tensor& out = context.output(0, data.dtype(), splice(data.dims(), axis, indices.dims()));
  if (out.size() == 0) return;
  std::int64_t outer = 1, inner = 1;
  for (std::size_t d = 0; d < data.rank(); ++d)
    if (d != axis) (d < axis ? outer : inner) *= data.dims()[d];
  const std::size_t bytes = static_cast<std::size_t>(inner) * byte_size(data.dtype());
  std::byte* to = out.raw();
  for (std::int64_t o = 0; o < outer; ++o)
    for (const std::int64_t i : picks) {
      std::memcpy(to, data.raw() + static_cast<std::size_t>(o * size + i) * bytes, bytes);
      to += bytes;
    }
}

}  // namespace

const OpDef& op_gather() {
  static const OpDef op{.name = "Gather",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_gather,
                        .lower = lower_gather,
                        .int16 = [](const NodeView& node) { return node.constant(1) != nullptr; }};
  return op;
}

}  // namespace tinyml
