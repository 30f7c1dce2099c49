// Integer arithmetic of lowering. Float32 where a QDQ model computes in float32, so that ties round alike; double for
// factors that only the device multiplies by.
#include "lib/ops/lower/common.h"

#include <algorithm>
#include <cmath>

#include "lib/ops/lower/lower.h"
#include "lib/quant/fixed_point.h"
#include "lib/quant/params.h"
#include "lib/support/error.h"

namespace tinyml {

StepOperand in(std::size_t i) { return {StepOperand::Kind::input, i}; }
StepOperand out(std::size_t i) { return {StepOperand::Kind::output, i}; }
StepOperand scratch(std::size_t i) { return {StepOperand::Kind::temporary, i}; }

void refuse(const std::string& what, const std::string& cure) { throw Error(what + " has no device form", cure); }

std::int64_t count_of(const DeviceTensor& tensor) { return element_count(tensor.dims); }

Affine affine(const DeviceTensor& tensor) {
  const bool fits = tensor.quant != nullptr && !tensor.quant->per_channel() &&
                    (tensor.quant->type == DType::i8 || tensor.quant->type == DType::i16);
  if (!fits)
    throw Error("an operand is not int8 or int16 with one scale", "quantize the model (do not exclude this node)");
  return {tensor.quant->scales.at(0), tensor.quant->zero_points.at(0), tensor.quant->type};
}

bool is_int16(const LowerContext& context) {
  const auto wide = [](const DeviceTensor& tensor) {
    return tensor.present && tensor.constant == nullptr && tensor.quant != nullptr && tensor.quant->type == DType::i16;
  };
  return std::any_of(context.inputs.begin(), context.inputs.end(), wide) ||
         std::any_of(context.outputs.begin(), context.outputs.end(), wide);
}

int quantize_one(float real, const Affine& params) {
  const IntRange range = int_range(params.type);
  if (std::isnan(real)) return range.min;
  const float steps = std::nearbyint(real / params.scale) + static_cast<float>(params.zero);
  return static_cast<int>(std::clamp(steps, static_cast<float>(range.min), static_cast<float>(range.max)));
}

float dequantize_one(int q, const Affine& params) { return static_cast<float>(q - params.zero) * params.scale; }

namespace {

// Differences from a zero point have 9 bits and a sign; 7 more are left.
QuantizedConstant widened(const Tensor& integers, const Affine& from) {
  constexpr int kSteps = 128;
  Tensor wide(DType::i16, integers.dims());
  const auto q = integers.data<std::int8_t>();
  std::transform(q.begin(), q.end(), wide.data<std::int16_t>().begin(),
                 [&](int v) { return static_cast<std::int16_t>((v - from.zero) * kSteps); });
  return {std::move(wide), {from.scale / kSteps, 0, DType::i16}};
}

}  // namespace

QuantizedConstant quantized_constant(const DeviceTensor& tensor, DType type) {
  const Tensor& constant = *tensor.constant;
  if (tensor.quant != nullptr && !tensor.quant->per_channel()) {
    if (tensor.quant->type == type) return {constant, affine(tensor)};
    if (tensor.quant->type == DType::i8 && type == DType::i16) return widened(constant, affine(tensor));
  }
  Tensor real = tensor.quant != nullptr ? dequantize_tensor(constant, *tensor.quant) : constant;
  if (real.dtype() != DType::f32) real = convert(real, DType::f32);
  Range range;
  for (const float x : real.data<float>()) {
    if (!std::isfinite(x)) throw Error("a constant operand is not finite", "check the model's weights");
    range = {std::min(range.min, x), std::max(range.max, x)};
  }
  const QuantParams params = activation_params(range, type, type == DType::i16);
  Tensor integers = quantize_tensor(real, params);
  return {std::move(integers), {params.scales[0], params.zero_points[0], type}};
}

Tensor constant_on_grid(const DeviceTensor& tensor, const Affine& to) {
  Tensor moved(DType::i32, tensor.dims);
  const std::vector<float> reals = to_floats(*tensor.constant);
  auto integers = moved.data<std::int32_t>();
  for (std::size_t i = 0; i < integers.size(); ++i)
    integers[i] = quantize_one(
        tensor.quant != nullptr ? dequantize_one(static_cast<int>(reals[i]), affine(tensor)) : reals[i], to);
  return convert(moved, to.type);
}

bool takes_int16(const NodeView&) { return true; }
bool has_constant_weights(const NodeView& node) { return node.constant(0) == nullptr && node.constant(1) != nullptr; }

// ---- fields -------------------------------------------------------------------------------------------------------

IntClamp output_clamp(const LowerContext& context) {
  const Affine to = affine(context.outputs[0]);
  return {quantize_one(context.clamp_min, to), quantize_one(context.clamp_max, to)};
}

void add_output_fields(std::vector<StepField>& fields, const LowerContext& context) {
  const IntClamp clamp = output_clamp(context);
  const Affine to = affine(context.outputs[0]);
  if (to.type == DType::i8) fields.push_back({"out_zero", to.zero});
  fields.push_back({"clamp_min", clamp.min});
  fields.push_back({"clamp_max", clamp.max});
}

SignedFactors signed_factors(std::span<const double> factors, DType type) {
  std::vector<double> sizes;
  for (const double f : factors)
    if (f != 0) sizes.push_back(std::abs(f));
  SignedFactors result;
  if (sizes.empty()) sizes.push_back(1);
  const Requantization requantization = to_requantization(sizes);
  const int most_shift = type == DType::i16 ? 15 : 23;  // of the kernels
  if (requantization.shift > most_shift)
    throw Error("a rescaling factor is too large for the device", "calibrate with representative data");
  result.shift = requantization.shift;
  std::size_t next = 0;
  for (const double f : factors)
    result.multipliers.push_back(
        f == 0 ? 0 : (f < 0 ? -1 : 1) * static_cast<std::int64_t>(requantization.multipliers[next++]));
  return result;
}

Tensor to_i32(std::span<const std::int64_t> values) {
  Tensor tensor(DType::i32, {static_cast<std::int64_t>(values.size())});
  std::transform(values.begin(), values.end(), tensor.data<std::int32_t>().begin(),
                 [](std::int64_t v) { return static_cast<std::int32_t>(v); });
  return tensor;
}

// ---- tables -------------------------------------------------------------------------------------------------------

Tensor function_table(const Affine& from, const Affine& to, const std::function<double(double)>& function,
                      ClampRange clamp) {
  Tensor table(DType::i8, {256});
  auto entries = table.data<std::int8_t>();
  for (int q = -128; q < 128; ++q) {
    const auto real = static_cast<float>(function(static_cast<double>(dequantize_one(q, from))));
    entries[static_cast<std::size_t>(q + 128)] =
        static_cast<std::int8_t>(quantize_one(std::clamp(real, clamp.min, clamp.max), to));
  }
  return table;
}

namespace {

bool is_identity(const Tensor& table) {
  const auto entries = table.data<std::int8_t>();
  for (int q = -128; q < 128; ++q)
    if (entries[static_cast<std::size_t>(q + 128)] != q) return false;
  return true;
}

LoweredStep table_step(Tensor table, std::int64_t count, StepOperand from) {
  return {"tml_lut_s8", {{"table", std::move(table)}, {"count", count}}, {from, out()}, {0}};
}

}  // namespace

LoweredNode lower_function(const LowerContext& context, std::size_t input,
                           const std::function<double(double)>& function) {
  if (is_int16(context)) return lower_function_int16(context, input, function);
  Tensor table = function_table(affine(context.inputs[input]), affine(context.outputs[0]), function,
                                {context.clamp_min, context.clamp_max});
  LoweredNode lowered;
  if (is_identity(table))
    lowered.view = true;
  else
    lowered.steps.push_back(table_step(std::move(table), count_of(context.outputs[0]), in(input)));
  return lowered;
}

Tensor requantizing_table(const Affine& from, const Affine& to) {
  if (from == to) return Tensor(DType::i8, {0});
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Tensor table = function_table(from, to, [](double x) { return x; }, {-kInfinity, kInfinity});
  return is_identity(table) ? Tensor(DType::i8, {0}) : table;
}

void append_requantization(LoweredNode& lowered, const LowerContext& context, const Affine& from, std::size_t output) {
  const Affine to = affine(context.outputs[output]);
  const ClampRange clamp{context.clamp_min, context.clamp_max};
  const std::int64_t count = count_of(context.outputs[output]);
  const StepOperand y = out(output);
  if (to.type == DType::i16) {
    if (from != to || clamp.min > dequantize_one(INT16_MIN, to) || clamp.max < dequantize_one(INT16_MAX, to))
      lowered.steps.push_back(rescale_step(from, to, clamp, count, y, y));
    return;
  }
  Tensor table = function_table(
      from, to, [](double x) { return x; }, clamp);
  if (!is_identity(table))
    lowered.steps.push_back({"tml_lut_s8", {{"table", std::move(table)}, {"count", count}}, {y, y}, {}});
}

// ---- copies -------------------------------------------------------------------------------------------------------

Dims axis_strides(const DeviceTensor& tensor) {
  const Dims memory = row_major_strides(tensor.memory);
  Dims strides(tensor.dims.size());
  for (std::size_t i = 0; i < tensor.layout.size(); ++i)
    strides[static_cast<std::size_t>(tensor.layout[i])] = memory[i];
  return strides;
}

LoweredStep copy_step(CopySpec spec, StepOperand from, StepOperand to) {
  constexpr std::size_t kMostAxes = 6;  // TML_MAX_DIMS
  std::vector<CopyAxis> merged;
  for (const CopyAxis& axis : spec.axes) {
    if (axis.count == 1) continue;
    if (!merged.empty() && merged.back().in_stride == axis.count * axis.in_stride &&
        merged.back().out_stride == axis.count * axis.out_stride)
      merged.back() = {merged.back().count * axis.count, axis.in_stride, axis.out_stride};
    else
      merged.push_back(axis);
  }
  if (merged.size() > kMostAxes) refuse("a copy over " + std::to_string(merged.size()) + " axes", "reduce the rank");
  merged.insert(merged.begin(), kMostAxes - merged.size(), {1, 0, 0});
  const auto bytes = static_cast<std::int64_t>(spec.element_bytes);
  std::vector<std::int64_t> dims, in_strides, out_strides;
  for (const CopyAxis& axis : merged) {
    dims.push_back(axis.count);
    in_strides.push_back(axis.in_stride * bytes);
    out_strides.push_back(axis.out_stride * bytes);
  }
  LoweredStep step{"tml_copy",
                   {{"dims", std::move(dims)},
                    {"in_strides", std::move(in_strides)},
                    {"out_strides", std::move(out_strides)},
                    {"in_offset", spec.in_offset * bytes},
                    {"out_offset", spec.out_offset * bytes},
                    {"element_bytes", bytes}},
                   {from, to},
                   {}};
  if (spec.table.size() != 0) step.fields.push_back({"table", std::move(spec.table)});
  if (spec.constant.size() != 0) step.fields.push_back({"in_const", std::move(spec.constant)});
  return step;
}

LoweredStep transpose_step(const DeviceTensor& tensor, const Layout& to) {
  const Dims from = axis_strides(tensor);
  const Dims memory = memory_dims(tensor.dims, to);
  const Dims strides = row_major_strides(memory);
  CopySpec spec;
  spec.element_bytes = byte_size(tensor.dtype);
  for (std::size_t i = 0; i < to.size(); ++i)
    spec.axes.push_back({memory[i], from[static_cast<std::size_t>(to[i])], strides[i]});
  return copy_step(std::move(spec), in(), out());
}

}  // namespace tinyml
