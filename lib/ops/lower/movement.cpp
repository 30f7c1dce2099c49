// Operators that only move values: views, Transpose, Concat, and all those whose output elements each are one input
// element (Slice, Split, Expand, Tile, Pad, Gather by constant indices, Resize by nearest neighbour). For the latter
// the operator's own evaluation is asked where each element comes from, by running it on the numbers of the input's
// elements: no second reading of attributes that could disagree with the first.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/ops/lower/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::size_t kMostRemapAxes = 5;  // TML_MAX_REMAP_DIMS
constexpr std::int64_t kFill = -1;         // no source

// For each output, the ONNX-order number of the input element that each of its elements is; kFill for none.
// `takes_reals`: real constants are arguments (Resize's scales), not values to fill with (Pad).
// The numbering starts above whatever the evaluation itself fills with.
std::vector<std::vector<std::int64_t>> sources(const LowerContext& context, float fill, bool takes_reals) {
  const NodeView& node = context.node;
  const DeviceTensor& input = context.inputs[0];
  constexpr std::int64_t kExactFloats = 1 << 24;
  constexpr float kMostFill = 1 << 22;
  if (!(fill < kMostFill)) refuse("filling with so large a number", "fill with less");
  const auto first = static_cast<std::int64_t>(std::ceil(std::max(fill, 0.0F))) + 1;
  if (count_of(input) + first >= kExactFloats || count_of(context.outputs[0]) >= kExactFloats)
    refuse("moving so many elements", "reduce the tensor");
  Tensor numbers(DType::f32, input.dims);
  std::iota(numbers.data<float>().begin(), numbers.data<float>().end(), static_cast<float>(first));
  std::vector<const Tensor*> inputs{&numbers};
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    const Tensor* constant = node.constant(i);
    if (node.has_input(i) && constant == nullptr)
      refuse(node.node().op + " whose arguments are computed at run time", "make them constant");
    const bool is_argument = constant != nullptr && (takes_reals || is_integer(constant->dtype()));
    inputs.push_back(is_argument ? constant : nullptr);
  }
  std::vector<Tensor> results(node.output_count());
  std::vector<Tensor*> outputs;
  for (Tensor& result : results) outputs.push_back(&result);
  ThreadPool threads(1);
  EvalContext evaluation(node, inputs, outputs, threads);
  find_op(node.node().op)->evaluate(evaluation);
  std::vector<std::vector<std::int64_t>> numbers_of;
  for (const Tensor& result : results) {
    std::vector<std::int64_t>& list = numbers_of.emplace_back();
    for (const float number : result.data<float>())
      list.push_back(number < static_cast<float>(first) ? kFill : static_cast<std::int64_t>(number) - first);
  }
  return numbers_of;
}

// Where the input's elements lie in memory, by ONNX-order number.
std::vector<std::int64_t> memory_positions(const DeviceTensor& tensor) {
  const Dims strides = axis_strides(tensor);
  std::vector<std::int64_t> positions{0};
  for (std::size_t axis = 0; axis < tensor.dims.size(); ++axis) {
    std::vector<std::int64_t> next;
    next.reserve(positions.size() * static_cast<std::size_t>(tensor.dims[axis]));
    for (const std::int64_t base : positions)
      for (std::int64_t i = 0; i < tensor.dims[axis]; ++i) next.push_back(base + i * strides[axis]);
    positions = std::move(next);
  }
  return positions;
}

// ---- strided: position = base + sum over the output's axes of a term of that axis alone
// ------------------------------

// A term that is linear, or linear within blocks (Tile), as one or two copy axes; empty when it is neither.
std::vector<CopyAxis> linear_axes(const std::vector<std::int64_t>& term, std::int64_t out_stride) {
  const auto n = static_cast<std::int64_t>(term.size());
  for (std::int64_t block = n; block >= 1; --block) {
    if (n % block != 0) continue;
    const std::int64_t inner = block > 1 ? term[1] : 0, outer = block < n ? term[static_cast<std::size_t>(block)] : 0;
    bool fits = true;
    for (std::int64_t i = 0; fits && i < n; ++i)
      fits = term[static_cast<std::size_t>(i)] == i / block * outer + i % block * inner;
    if (fits) return {{n / block, outer, block * out_stride}, {block, inner, out_stride}};
  }
  return {};
}

std::optional<CopySpec> strided(const DeviceTensor& input, const DeviceTensor& output,
                                const std::vector<std::int64_t>& source) {
  const std::vector<std::int64_t> positions = memory_positions(input);
  if (std::find(source.begin(), source.end(), kFill) != source.end()) return std::nullopt;
  const auto at = [&](std::int64_t i) {
    return positions[static_cast<std::size_t>(source[static_cast<std::size_t>(i)])];
  };
  const Dims numbering = row_major_strides(output.dims), out_strides = axis_strides(output);
  CopySpec spec;
  spec.in_offset = at(0);
  std::vector<std::vector<std::int64_t>> terms;
  for (std::size_t axis = 0; axis < output.dims.size(); ++axis) {
    std::vector<std::int64_t>& term = terms.emplace_back();
    for (std::int64_t i = 0; i < output.dims[axis]; ++i) term.push_back(at(i * numbering[axis]) - spec.in_offset);
  }
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(source.size()); ++i) {
    std::int64_t sum = spec.in_offset;
    for (std::size_t axis = 0; axis < terms.size(); ++axis)
      sum += terms[axis][static_cast<std::size_t>(i / numbering[axis] % output.dims[axis])];
    if (sum != at(i)) return std::nullopt;
  }
  for (const int axis : output.layout) {
    const auto a = static_cast<std::size_t>(axis);
    const std::vector<CopyAxis> axes = linear_axes(terms[a], out_strides[a]);
    if (axes.empty()) return std::nullopt;
    spec.axes.insert(spec.axes.end(), axes.begin(), axes.end());
  }
  return spec;
}

// ---- remapped: each coordinate of the source depends on the same coordinate of the output
// ----------------------------

using IndexMap = std::vector<std::int64_t>;

bool is_identity(const IndexMap& map, std::int64_t dim) {
  if (static_cast<std::int64_t>(map.size()) != dim) return false;
  for (std::size_t i = 0; i < map.size(); ++i)
    if (map[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

// One index map per ONNX axis; nullopt when the source is not of this form.
std::optional<std::vector<IndexMap>> index_maps(const DeviceTensor& input, const DeviceTensor& output,
                                                const std::vector<std::int64_t>& source) {
  if (input.dims.size() != output.dims.size()) return std::nullopt;
  const Dims in_strides = row_major_strides(input.dims), out_strides = row_major_strides(output.dims);
  std::vector<IndexMap> maps;
  for (const std::int64_t dim : output.dims) maps.emplace_back(static_cast<std::size_t>(dim), kFill);
  const auto coordinate = [](std::int64_t number, const Dims& dims, const Dims& strides, std::size_t axis) {
    return number / strides[axis] % dims[axis];
  };
  // A coordinate is known from any element that has a source.
  for (std::size_t i = 0; i < source.size(); ++i)
    for (std::size_t axis = 0; source[i] != kFill && axis < maps.size(); ++axis)
      maps[axis][static_cast<std::size_t>(coordinate(static_cast<std::int64_t>(i), output.dims, out_strides, axis))] =
          coordinate(source[i], input.dims, in_strides, axis);
  for (std::size_t i = 0; i < source.size(); ++i) {
    std::int64_t number = 0;
    bool fill = false;
    for (std::size_t axis = 0; axis < maps.size(); ++axis) {
      const std::int64_t c =
          maps[axis]
              [static_cast<std::size_t>(coordinate(static_cast<std::int64_t>(i), output.dims, out_strides, axis))];
      fill = fill || c == kFill;
      number += c * in_strides[axis];
    }
    if ((fill ? kFill : number) != source[i]) return std::nullopt;
  }
  return maps;
}

// Axes in memory order; runs of axes that map to themselves are one.
LoweredStep remap_step(const DeviceTensor& input, const DeviceTensor& output, const std::vector<IndexMap>& maps,
                       int fill) {
  std::vector<Tensor> index;
  std::vector<std::int64_t> in_dims, out_dims;
  bool last_was_identity = false;
  for (const int axis : output.layout) {
    const auto a = static_cast<std::size_t>(axis);
    const bool identity = is_identity(maps[a], input.dims[a]);
    if (identity && last_was_identity) {
      in_dims.back() *= input.dims[a];
      out_dims.back() *= output.dims[a];
      continue;
    }
    last_was_identity = identity;
    in_dims.push_back(input.dims[a]);
    out_dims.push_back(output.dims[a]);
    Tensor table(DType::i16, {identity ? 0 : output.dims[a]});
    for (std::size_t i = 0; !identity && i < maps[a].size(); ++i) {
      if (maps[a][i] > INT16_MAX) refuse("an axis of so many elements", "reduce the tensor");
      table.data<std::int16_t>()[i] = static_cast<std::int16_t>(maps[a][i]);
    }
    index.push_back(std::move(table));
  }
  if (in_dims.size() > kMostRemapAxes) refuse("remapping so many axes", "reduce the rank");
  const std::size_t missing = kMostRemapAxes - in_dims.size();
  in_dims.insert(in_dims.begin(), missing, 1);
  out_dims.insert(out_dims.begin(), missing, 1);
  index.insert(index.begin(), missing, Tensor(DType::i16, {0}));
  return {byte_size(output.dtype) == 2 ? "tml_remap_s16" : "tml_remap_s8",
          {{"index", std::move(index)}, {"in_dims", in_dims}, {"out_dims", out_dims}, {"fill", fill}},
          {in(), out()},
          {}};
}

// Data that may be integers that are no quantized reals; a table where the parameters differ.
Tensor table_between(const DeviceTensor& input, const DeviceTensor& output) {
  if (input.quant == nullptr && output.quant == nullptr) return Tensor(DType::i8, {0});
  if (affine(output).type == DType::i16) return Tensor(DType::i8, {0});  // append_requantization follows
  return requantizing_table(affine(input), affine(output));
}

// A step (or two) for each output that is read. `fill`: the real value of elements without source.
LoweredNode moved(const LowerContext& context, float fill, bool takes_reals = false) {
  const auto source = sources(context, takes_reals ? fill : 0, takes_reals);
  LoweredNode lowered;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const DeviceTensor &input = context.inputs[0], &output = context.outputs[i];
    if (!output.present || source[i].empty()) continue;
    if (auto spec = strided(input, output, source[i])) {
      spec->element_bytes = byte_size(output.dtype);
      spec->table = table_between(input, output);
      lowered.steps.push_back(copy_step(std::move(*spec), in(), out(i)));
      if (output.dtype == DType::i16 && output.quant != nullptr)
        append_requantization(lowered, context, affine(input), i);
      continue;
    }
    const auto maps = index_maps(input, output, source[i]);
    const bool has_kernel = byte_size(output.dtype) == 1 || (output.dtype == DType::i16 && output.quant != nullptr);
    if (!maps || i != 0 || !has_kernel)
      refuse("this form of " + context.node.node().op, "let optimize fold it away, or replace it in the model");
    lowered.steps.push_back(remap_step(input, output, *maps, quantize_one(fill, affine(input))));
    append_requantization(lowered, context, affine(input));
  }
  return lowered;
}

}  // namespace

LoweredNode lower_view(const LowerContext& context) {
  if (context.inputs[0].quant != nullptr) return lower_function(context, 0, [](double x) { return x; });
  LoweredNode lowered;
  lowered.view = true;
  return lowered;
}

LoweredNode lower_transpose(const LowerContext& context) { return lower_view(context); }

LayoutChoice layout_transpose(const NodeView& node, std::span<const Layout> inputs) {
  LayoutChoice choice = layout_row_major(node, inputs);
  const Layout& layout = inputs[0];
  const std::size_t rank = layout.size();
  std::vector<std::int64_t> perm = node.integers("perm");
  if (perm.empty())
    for (std::size_t i = rank; i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  std::vector<int> to(rank, 0);  // the output axis that an input axis becomes
  for (std::size_t i = 0; i < rank; ++i) to[normalize_axis(perm[i], rank)] = static_cast<int>(i);
  choice.inputs[0] = layout;
  for (std::size_t i = 0; i < rank; ++i) choice.outputs[0][i] = to[static_cast<std::size_t>(layout[i])];
  return choice;
}

namespace {

// What Concat copies of a constant: on the output's grid and in its memory order, or the bytes of integers.
Tensor constant_part(const DeviceTensor& input, const DeviceTensor& output) {
  if (output.quant != nullptr && affine(output).type == DType::i8)
    return to_layout(constant_on_grid(input, affine(output)), output.layout);
  const Tensor ordered =
      to_layout(output.quant != nullptr ? constant_on_grid(input, affine(output)) : *input.constant, output.layout);
  Tensor bytes(DType::i8, {static_cast<std::int64_t>(ordered.bytes())});
  std::copy_n(ordered.raw(), ordered.bytes(), bytes.raw());
  return bytes;
}

bool needs_rescaling(const DeviceTensor& input, const DeviceTensor& output) {
  return output.quant != nullptr && affine(output).type == DType::i16 && affine(input) != affine(output);
}

// A temporary that holds the int16 operand on the output's grid, in the operand's order.
StepOperand rescaled(LoweredNode& lowered, const DeviceTensor& input, const DeviceTensor& output, StepOperand from) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const StepOperand to = scratch(lowered.temporaries.size());
  const std::int64_t count = count_of(input);
  lowered.temporaries.push_back(static_cast<std::size_t>(count) * byte_size(DType::i16));
  lowered.steps.push_back(rescale_step(affine(input), affine(output), {-kInfinity, kInfinity}, count, from, to));
  return to;
}

}  // namespace

LoweredNode lower_concat(const LowerContext& context) {
  const DeviceTensor& output = context.outputs[0];
  const std::size_t axis = normalize_axis(context.node.required_integer("axis"), output.dims.size());
  const Dims out_strides = axis_strides(output);
  LoweredNode lowered;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < context.inputs.size(); ++i) {
    const DeviceTensor& input = context.inputs[i];
    const std::int64_t length = input.dims[axis];
    offset += length;
    if (count_of(input) == 0) continue;
    DeviceTensor held = input;
    held.layout = input.constant != nullptr ? output.layout : input.layout;
    held.memory = memory_dims(held.dims, held.layout);
    const Dims in_strides = axis_strides(held);
    CopySpec spec;
    spec.out_offset = (offset - length) * out_strides[axis];
    spec.element_bytes = byte_size(output.dtype);
    if (input.constant != nullptr)
      spec.constant = constant_part(input, output);
    else
      spec.table = table_between(input, output);
    StepOperand from = input.constant != nullptr ? out() : in(i);
    if (input.constant == nullptr && needs_rescaling(input, output)) from = rescaled(lowered, input, output, from);
    for (const int a : output.layout) {
      const auto k = static_cast<std::size_t>(a);
      spec.axes.push_back({input.dims[k], in_strides[k], out_strides[k]});
    }
    lowered.steps.push_back(copy_step(std::move(spec), from, out()));
  }
  return lowered;
}

LoweredNode lower_by_source(const LowerContext& context, float fill) { return moved(context, fill, true); }
LoweredNode lower_split(const LowerContext& context) { return moved(context, 0); }
LoweredNode lower_slice(const LowerContext& context) { return moved(context, 0); }
LoweredNode lower_expand(const LowerContext& context) { return moved(context, 0); }
LoweredNode lower_tile(const LowerContext& context) { return moved(context, 0); }

LoweredNode lower_pad(const LowerContext& context) {
  float fill = 0;
  if (context.has_input(2)) {
    const DeviceTensor& value = context.inputs[2];
    if (value.constant == nullptr) refuse("Pad with a computed value", "make it constant");
    fill = value.quant != nullptr ? dequantize_one(static_cast<int>(to_int64s(*value.constant).at(0)), affine(value))
                                  : to_floats(*value.constant).at(0);
  }
  return moved(context, fill);
}

// ---- Gather
// -----------------------------------------------------------------------------------------------------------

namespace {

LoweredNode gather_at_run_time(const LowerContext& context) {
  const DeviceTensor &data = context.inputs[0], &indices = context.inputs[1], &output = context.outputs[0];
  const std::size_t axis = normalize_axis(context.node.integer("axis", 0), data.dims.size());
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < data.dims.size(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : data.dims[i];
  LoweredNode lowered;
  LoweredStep step{"tml_gather_s8",
                   {{"outer", outer},
                    {"axis", data.dims[axis]},
                    {"count", count_of(indices)},
                    {"inner", inner},
                    {"index_bytes", static_cast<std::int64_t>(byte_size(indices.dtype))}},
                   {in(0), in(1), out()},
                   {}};
  Affine from = affine(output);
  if (data.constant != nullptr) {
    // The embedding table is held on the output's grid, so that rows are copied as they are.
    step.fields.push_back({"data_const", constant_on_grid(data, from)});
    step.operands[0] = in(1);
  } else {
    from = affine(data);
  }
  lowered.steps.push_back(std::move(step));
  append_requantization(lowered, context, from);
  return lowered;
}

}  // namespace

LayoutChoice layout_gather(const NodeView& node, std::span<const Layout> inputs) {
  if (node.constant(1) == nullptr) return layout_row_major(node, inputs);
  return layout_follow(node, inputs);
}

LoweredNode lower_gather(const LowerContext& context) {
  const DeviceTensor& indices = context.inputs[1];
  if (indices.constant == nullptr) return gather_at_run_time(context);
  if (indices.dims.size() < 2) return moved(context, 0);
  // The same bytes as by a row of indices: everything is row-major here.
  LowerContext flat = context;
  DeviceTensor& output = flat.outputs[0];
  output.dims = context.inputs[0].dims;
  output.dims[normalize_axis(context.node.integer("axis", 0), output.dims.size())] = count_of(indices);
  output.layout = row_major(output.dims.size());
  output.memory = output.dims;
  return moved(flat, 0);
}

}  // namespace tinyml
