// Operators of two and more operands, element by element, with broadcasting in memory order; PRelu.
#include <algorithm>
#include <cmath>

#include "lib/ops/lower/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::size_t kMostAxes = 6;           // TML_MAX_DIMS
constexpr std::int64_t kMostFactor = 1 << 21;  // |multipliers| of add, so that 32 bits suffice
constexpr int kMostAddShift = 30;

// Factors at a common power of two: the largest shift at which their sizes stay within the bound.
struct CommonShift {
  std::vector<std::int64_t> multipliers;
  int shift = 0;
};

CommonShift common_shift(std::span<const double> factors, std::int64_t most_sum) {
  for (int shift = kMostAddShift; shift >= 1; --shift) {
    CommonShift result{{}, shift};
    std::int64_t sum = 0;
    for (const double f : factors) {
      const double scaled = std::round(std::ldexp(f, shift));
      if (std::abs(scaled) > static_cast<double>(most_sum)) {
        sum = most_sum + 1;
        break;
      }
      result.multipliers.push_back(static_cast<std::int64_t>(scaled));
      sum += std::llabs(result.multipliers.back());
    }
    if (sum <= most_sum) return result;
  }
  throw Error("the operands' scales are too far above the output's", "calibrate with representative data");
}

// An operand of a binary kernel: a buffer, or a constant of its own.
struct Operand {
  StepOperand where;  // for a constant: any buffer
  Affine params;
  Dims strides;  // along the output's axes in memory order; 0 where it is broadcast
  Tensor constant{DType::i8, {0}};
  bool full = false;  // as large as the output, and in its order
};

Operand make_operand(const LowerContext& context, std::size_t i) {
  const DeviceTensor& tensor = context.inputs[i];
  const DeviceTensor& output = context.outputs[0];
  Operand operand;
  operand.where = in(i);
  DeviceTensor held = tensor;
  if (tensor.constant != nullptr) {
    QuantizedConstant constant = quantized_constant(tensor, is_int16(context) ? DType::i16 : DType::i8);
    operand.params = constant.params;
    operand.constant = std::move(constant.integers);
    for (std::size_t k = 0; k < context.inputs.size(); ++k)
      if (context.inputs[k].present && context.inputs[k].constant == nullptr) operand.where = in(k);
  } else {
    operand.params = affine(tensor);
  }
  const Dims own = axis_strides(held);
  const std::size_t missing = output.dims.size() - held.dims.size();
  for (const int axis : output.layout) {
    const auto a = static_cast<std::size_t>(axis);
    const bool repeats = a < missing || held.dims[a - missing] == 1;
    operand.strides.push_back(repeats ? 0 : own[a - missing]);
  }
  operand.full = tensor.constant == nullptr && held.dims.size() == output.dims.size() &&
                 count_of(held) == count_of(output) && equivalent(held.layout, output.layout, output.dims);
  return operand;
}

// Output 0 as an operand of its own, for chains of n-ary operators.
Operand output_operand(const LowerContext& context) {
  const DeviceTensor& output = context.outputs[0];
  Operand operand;
  operand.where = out();
  operand.params = affine(output);
  operand.strides = row_major_strides(output.memory);
  for (std::size_t i = 0; i < operand.strides.size(); ++i)
    if (output.memory[i] == 1) operand.strides[i] = 0;
  operand.full = true;
  return operand;
}

struct MergedAxes {
  std::vector<std::int64_t> dims, a, b;
};

// Neighbouring axes along which both operands go on regularly become one.
MergedAxes merge_axes(const Dims& memory, const Dims& a, const Dims& b) {
  MergedAxes merged;
  for (std::size_t i = 0; i < memory.size(); ++i) {
    if (memory[i] == 1) continue;
    const bool joins =
        !merged.dims.empty() && merged.a.back() == memory[i] * a[i] && merged.b.back() == memory[i] * b[i];
    if (joins) {
      merged.dims.back() *= memory[i];
      merged.a.back() = a[i];
      merged.b.back() = b[i];
    } else {
      merged.dims.push_back(memory[i]);
      merged.a.push_back(a[i]);
      merged.b.push_back(b[i]);
    }
  }
  if (merged.dims.size() > kMostAxes) refuse("broadcasting over so many axes", "reduce the rank");
  const std::size_t missing = kMostAxes - merged.dims.size();
  merged.dims.insert(merged.dims.begin(), missing, 1);
  merged.a.insert(merged.a.begin(), missing, 0);
  merged.b.insert(merged.b.begin(), missing, 0);
  return merged;
}

// `kernel` without the type that its name ends in.
LoweredStep binary_step(const std::string& kernel, const LowerContext& context, Operand a, Operand b) {
  const MergedAxes axes = merge_axes(context.outputs[0].memory, a.strides, b.strides);
  const bool wide = is_int16(context);
  LoweredStep step{kernel + (wide ? "_s16" : "_s8"),
                   {{"dims", axes.dims}, {"a_strides", axes.a}, {"b_strides", axes.b}},
                   {a.where, b.where, out()},
                   {}};
  if (!wide) {
    step.fields.push_back({"a_zero", a.params.zero});
    step.fields.push_back({"b_zero", b.params.zero});
  }
  if (a.full) step.in_place.push_back(0);
  if (b.full) step.in_place.push_back(1);
  if (a.constant.size() != 0) {
    step.fields.push_back({"a_const", std::move(a.constant)});
    if (b.full) step.in_place = {0, 1};  // operand 0 only stands for the constant
  }
  if (b.constant.size() != 0) {
    step.fields.push_back({"b_const", std::move(b.constant)});
    if (a.full) step.in_place = {0, 1};
  }
  add_output_fields(step.fields, context);
  return step;
}

void add_factors(LoweredStep& step, std::int64_t a, std::int64_t b, int shift) {
  step.fields.push_back({"a_multiplier", a});
  step.fields.push_back({"b_multiplier", b});
  step.fields.push_back({"shift", shift});
}

LoweredStep sum_like_step(const char* kernel, const LowerContext& context, Operand a, Operand b, double sign) {
  const auto to = static_cast<double>(affine(context.outputs[0]).scale);
  const double factors[] = {static_cast<double>(a.params.scale) / to, sign * static_cast<double>(b.params.scale) / to};
  if (is_int16(context)) {  // 64-bit sums
    const SignedFactors scaled = signed_factors(factors, DType::i16);
    LoweredStep step = binary_step(kernel, context, std::move(a), std::move(b));
    add_factors(step, scaled.multipliers[0], scaled.multipliers[1], scaled.shift);
    return step;
  }
  CommonShift common = common_shift(factors, 2 * kMostFactor);
  while (std::max(std::llabs(common.multipliers[0]), std::llabs(common.multipliers[1])) > kMostFactor &&
         common.shift > 1) {
    --common.shift;
    for (std::size_t i = 0; i < 2; ++i)
      common.multipliers[i] = static_cast<std::int64_t>(std::round(std::ldexp(factors[i], common.shift)));
  }
  LoweredStep step = binary_step(kernel, context, std::move(a), std::move(b));
  add_factors(step, common.multipliers[0], common.multipliers[1], common.shift);
  return step;
}

LoweredNode one(LoweredStep step) {
  LoweredNode lowered;
  lowered.steps.push_back(std::move(step));
  return lowered;
}

// min and max over any number of operands: pairwise, over the output. Rounding to the output's grid keeps the order, so
// rounding on the way changes nothing.
LoweredNode extremum(const char* kernel, const LowerContext& context) {
  if (context.inputs.size() == 1) return lower_view(context);
  LoweredNode lowered = one(sum_like_step(kernel, context, make_operand(context, 0), make_operand(context, 1), 1));
  for (std::size_t i = 2; i < context.inputs.size(); ++i)
    lowered.steps.push_back(sum_like_step(kernel, context, output_operand(context), make_operand(context, i), 1));
  if (lowered.steps.size() > 1)
    for (LoweredStep& step : lowered.steps) step.in_place.clear();  // later operands must survive the first step
  return lowered;
}

// A temporary that holds the operand as large as the output, for kernels that do not broadcast.
StepOperand expand(LoweredNode& lowered, const DeviceTensor& output, Operand operand) {
  const StepOperand to = scratch(lowered.temporaries.size());
  lowered.temporaries.push_back(static_cast<std::size_t>(count_of(output)));
  const Dims strides = row_major_strides(output.memory);
  CopySpec spec;
  for (std::size_t k = 0; k < strides.size(); ++k)
    spec.axes.push_back({output.memory[k], operand.strides[k], strides[k]});
  const bool constant = operand.constant.size() != 0;
  spec.constant = std::move(operand.constant);
  lowered.steps.push_back(copy_step(std::move(spec), constant ? to : operand.where, to));
  return to;
}

// One rounding for all operands, as in a QDQ model.
LoweredNode weighted_sum(const LowerContext& context, double weight) {
  const std::size_t n = context.inputs.size();
  std::vector<double> factors;
  Tensor zeros(DType::i8, {static_cast<std::int64_t>(n)});
  LoweredNode lowered;
  LoweredStep step{"tml_sum_s8", {}, {}, {}};
  for (std::size_t i = 0; i < n; ++i) {
    Operand operand = make_operand(context, i);
    const Affine from = operand.params;
    factors.push_back(weight * static_cast<double>(from.scale) / static_cast<double>(affine(context.outputs[0]).scale));
    zeros.data<std::int8_t>()[i] = static_cast<std::int8_t>(from.zero);
    if (operand.full) step.in_place.push_back(i);
    step.operands.push_back(operand.full ? operand.where : expand(lowered, context.outputs[0], std::move(operand)));
  }
  step.operands.push_back(out());
  const CommonShift common = common_shift(factors, 2 * kMostFactor);
  step.fields = {{"multipliers", to_i32(common.multipliers)},
                 {"zeros", std::move(zeros)},
                 {"inputs", static_cast<std::int64_t>(n)},
                 {"count", count_of(context.outputs[0])},
                 {"shift", common.shift}};
  add_output_fields(step.fields, context);
  lowered.steps.push_back(std::move(step));
  return lowered;
}

}  // namespace

LayoutChoice layout_strided(const NodeView& node, std::span<const Layout> inputs) {
  LayoutChoice choice = layout_follow(node, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (node.has_input(i) && node.constant(i) == nullptr) choice.inputs[i] = inputs[i];
  return choice;
}

LoweredNode lower_add(const LowerContext& context) {
  return one(sum_like_step("tml_add", context, make_operand(context, 0), make_operand(context, 1), 1));
}

LoweredNode lower_sub(const LowerContext& context) {
  return one(sum_like_step("tml_add", context, make_operand(context, 0), make_operand(context, 1), -1));
}

LoweredNode lower_min(const LowerContext& context) { return extremum("tml_min", context); }
LoweredNode lower_max(const LowerContext& context) { return extremum("tml_max", context); }

LoweredNode lower_mul(const LowerContext& context) {
  Operand a = make_operand(context, 0), b = make_operand(context, 1);
  const double factor = static_cast<double>(a.params.scale) * static_cast<double>(b.params.scale) /
                        static_cast<double>(affine(context.outputs[0]).scale);
  const SignedFactors scaled = signed_factors({&factor, 1}, is_int16(context) ? DType::i16 : DType::i8);
  LoweredStep step = binary_step("tml_mul", context, std::move(a), std::move(b));
  step.fields.push_back({"a_multiplier", scaled.multipliers[0]});
  step.fields.push_back({"shift", scaled.shift});
  return one(std::move(step));
}

// Reciprocals at the largest shift at which they all fit into 31 bits. Division by zero saturates.
LoweredNode lower_div(const LowerContext& context) {
  Operand a = make_operand(context, 0), b = make_operand(context, 1);
  const double ratio = static_cast<double>(a.params.scale) /
                       (static_cast<double>(b.params.scale) * static_cast<double>(affine(context.outputs[0]).scale));
  constexpr int kMostShift = 62;
  int shift = kMostShift;
  while (shift > 1 && std::ldexp(ratio, shift) > static_cast<double>(INT32_MAX - 1)) --shift;
  if (std::ldexp(ratio, shift) > static_cast<double>(INT32_MAX - 1))
    throw Error("the quotient's scale is too small for the device", "calibrate with representative data");
  std::vector<std::int64_t> reciprocals;
  for (int q = -128; q < 128; ++q) {
    const int divisor = q - b.params.zero;
    reciprocals.push_back(divisor == 0 ? INT32_MAX
                                       : static_cast<std::int64_t>(std::round(std::ldexp(ratio / divisor, shift))));
  }
  LoweredStep step = binary_step("tml_div", context, std::move(a), std::move(b));
  step.fields.push_back({"table", to_i32(reciprocals)});
  step.fields.push_back({"shift", shift});
  return one(std::move(step));
}

// ---- Pow -----------------------------------------------------------------------------------------------------------

namespace {

constexpr int kPowBits = 23;  // behind the point of logarithms

std::int64_t pow_fixed(double value) {
  constexpr double kMost = INT32_MAX;
  return static_cast<std::int64_t>(std::clamp(std::round(std::ldexp(value, kPowBits)), -kMost, kMost));
}

// Logarithms of the bases in steps of the exponent, powers of two, and of each exponent whether it is even, odd or no
// integer.
std::vector<std::int64_t> pow_table(const Affine& base, const Affine& exponent) {
  std::vector<std::int64_t> table;
  for (int q = -128; q < 128; ++q)  // the logarithm of 0 is -infinity, and saturates
    table.push_back(pow_fixed(std::log2(std::abs(static_cast<double>(dequantize_one(q, base)))) *
                              static_cast<double>(exponent.scale)));
  constexpr int kSegments = 64;
  for (int i = 0; i <= kSegments; ++i)
    table.push_back(
        static_cast<std::int64_t>(std::round(std::ldexp(std::exp2(i / static_cast<double>(kSegments)), 30))));
  constexpr int kPerWord = 16;
  for (int word = 0; word < 256 / kPerWord; ++word) {
    std::uint32_t kinds = 0;
    for (int i = 0; i < kPerWord; ++i) {
      const float e = dequantize_one(word * kPerWord + i - 128, exponent);
      const std::uint32_t kind = std::floor(e) != e ? 2 : std::fmod(e, 2.0F) == 0 ? 0 : 1;
      kinds |= kind << (2 * i);
    }
    table.push_back(kinds);
  }
  return table;
}

}  // namespace

LoweredNode lower_pow(const LowerContext& context) {
  Operand a = make_operand(context, 0), b = make_operand(context, 1);
  const std::vector<std::int64_t> table = pow_table(a.params, b.params);
  const std::int64_t unit = pow_fixed(-std::log2(static_cast<double>(affine(context.outputs[0]).scale)));
  LoweredStep step = binary_step("tml_pow", context, std::move(a), std::move(b));
  step.fields.push_back({"table", to_i32(table)});
  step.fields.push_back({"a_multiplier", unit});
  return one(std::move(step));
}

LoweredNode lower_sum(const LowerContext& context) {
  if (context.inputs.size() == 1) return lower_view(context);
  if (context.inputs.size() == 2) return lower_add(context);
  return weighted_sum(context, 1);
}

LoweredNode lower_mean(const LowerContext& context) {
  if (context.inputs.size() == 1) return lower_view(context);
  if (is_int16(context)) refuse("Mean of 16-bit activations", "keep this node int8, or use Add and Mul");
  return weighted_sum(context, 1.0 / static_cast<double>(context.inputs.size()));
}

// The slopes are spread over memory order; they repeat after the trailing axes along which they vary.
LoweredNode lower_prelu(const LowerContext& context) {
  const DeviceTensor &input = context.inputs[0], &slopes = context.inputs[1], &output = context.outputs[0];
  if (slopes.constant == nullptr) refuse("PRelu with computed slopes", "make the slopes constant");
  Tensor real = *slopes.constant;
  if (slopes.quant != nullptr) real = Tensor(DType::f32, slopes.dims);
  std::vector<float> values = to_floats(*slopes.constant);
  if (slopes.quant != nullptr)
    for (float& v : values) v = dequantize_one(static_cast<int>(v), affine(slopes));
  const Dims own = row_major_strides(slopes.dims);
  const std::size_t missing = output.dims.size() - slopes.dims.size();
  std::vector<std::int64_t> strides;
  for (const int axis : output.layout) {
    const auto a = static_cast<std::size_t>(axis);
    strides.push_back(a < missing || slopes.dims[a - missing] == 1 ? 0 : own[a - missing]);
  }
  std::size_t first = 0;
  while (first < strides.size() && strides[first] == 0) ++first;
  std::vector<std::int64_t> index{0};
  for (std::size_t k = first; k < strides.size(); ++k) {
    std::vector<std::int64_t> next;
    for (const std::int64_t base : index)
      for (std::int64_t i = 0; i < output.memory[k]; ++i) next.push_back(base + i * strides[k]);
    index = std::move(next);
  }
  const double ratio = static_cast<double>(affine(input).scale) / static_cast<double>(affine(output).scale);
  std::vector<double> factors{ratio};
  for (const std::int64_t i : index)
    factors.push_back(ratio * static_cast<double>(values[static_cast<std::size_t>(i)]));
  const SignedFactors scaled = signed_factors(factors);
  const std::span<const std::int64_t> negative(scaled.multipliers.data() + 1, scaled.multipliers.size() - 1);
  LoweredStep step{"tml_prelu_s8",
                   {{"negative", to_i32(negative)},
                    {"count", count_of(output)},
                    {"period", static_cast<std::int64_t>(negative.size())},
                    {"positive", scaled.multipliers[0]},
                    {"shift", scaled.shift},
                    {"in_zero", affine(input).zero}},
                   {in(), out()},
                   {0}};
  add_output_fields(step.fields, context);
  return one(std::move(step));
}

}  // namespace tinyml
