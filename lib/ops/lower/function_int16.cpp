// Functions of one 16-bit value. What only clamps is a rescaling, exact to one rounding; everything else is a table
// with linear interpolation, the smallest whose error over all 65,536 inputs stays within kTolerance output steps: one
// for the roundings of entry and result, half of one for curvature. Functions too steep for that (a logarithm near 0)
// get the largest table.
#include <algorithm>
#include <cmath>

#include "lib/ops/lower/common.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr int kLeastBits = 5, kMostBits = 12;
constexpr double kTolerance = 1.5;

std::string kernel_between(DType from, DType to) {
  if (from == DType::i8) return "tml_rescale_s8_s16";
  return to == DType::i8 ? "tml_rescale_s16_s8" : "tml_rescale_s16";
}

double real_of(int q, const Affine& grid) {
  return (static_cast<double>(q) - grid.zero) * static_cast<double>(grid.scale);
}

// The clamp that the function is over the grid's whole range; nullopt when it is another function.
std::optional<ClampRange> as_clamp(const Affine& from, const std::function<double(double)>& function) {
  const IntRange range = int_range(from.type);
  const double low = function(real_of(range.min, from)), high = function(real_of(range.max, from));
  if (!(low <= high)) return std::nullopt;
  for (int q = range.min; q <= range.max; ++q) {
    const double x = real_of(q, from);
    if (function(x) != std::clamp(x, low, high)) return std::nullopt;
  }
  return ClampRange{static_cast<float>(low), static_cast<float>(high)};
}

struct Segments {
  Tensor table{DType::i16, {0}};
  double error = 0;  // in steps of the output
};

// The function's exact value in steps of the output, saturated; NaN stays NaN.
std::vector<double> exact_steps(const Affine& from, const Affine& to, const std::function<double(double)>& function,
                                ClampRange clamp) {
  std::vector<double> steps;
  for (int q = INT16_MIN; q <= INT16_MAX + 1; ++q) {
    const double real = function(real_of(q, from));
    const double bounded =
        std::isnan(real) ? real : std::clamp(real, static_cast<double>(clamp.min), static_cast<double>(clamp.max));
    steps.push_back(std::clamp(bounded / static_cast<double>(to.scale), -32768.0, 32767.0));
  }
  return steps;
}

Segments make_segments(const std::vector<double>& exact, int bits) {
  const int shift = 16 - bits;
  const std::size_t segment = std::size_t{1} << shift;
  Segments result;
  result.table = Tensor(DType::i16, {(std::int64_t{1} << bits) + 1});
  auto entries = result.table.data<std::int16_t>();
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[i] = static_cast<std::int16_t>(std::isnan(exact[i * segment]) ? 0 : std::nearbyint(exact[i * segment]));
  for (std::size_t i = 0; i + 1 < exact.size(); ++i) {
    if (std::isnan(exact[i])) continue;
    const int low = entries[i >> shift], high = entries[(i >> shift) + 1];
    const int y = low + (((high - low) * static_cast<int>(i % segment) + (1 << (shift - 1))) >> shift);
    result.error = std::max(result.error, std::abs(y - exact[i]));
  }
  return result;
}

LoweredNode table_node(const LowerContext& context, std::size_t input, const std::function<double(double)>& function) {
  const std::vector<double> exact = exact_steps(affine(context.inputs[input]), affine(context.outputs[0]), function,
                                                {context.clamp_min, context.clamp_max});
  int bits = kLeastBits;
  Segments segments = make_segments(exact, bits);
  while (segments.error > kTolerance && bits < kMostBits) segments = make_segments(exact, ++bits);
  LoweredNode lowered;
  lowered.steps.push_back(
      {"tml_table_s16",
       {{"table", std::move(segments.table)}, {"count", count_of(context.outputs[0])}, {"bits", bits}},
       {in(input), out()},
       {0}});
  return lowered;
}

}  // namespace

LoweredStep rescale_step(const Affine& from, const Affine& to, ClampRange clamp, std::int64_t count, StepOperand x,
                         StepOperand y) {
  const double factor = static_cast<double>(from.scale) / static_cast<double>(to.scale);
  const SignedFactors scaled = signed_factors({&factor, 1}, DType::i16);
  LoweredStep step{kernel_between(from.type, to.type),
                   {{"count", count},
                    {"multiplier", scaled.multipliers[0]},
                    {"shift", scaled.shift},
                    {"clamp_min", quantize_one(clamp.min, to)},
                    {"clamp_max", quantize_one(clamp.max, to)},
                    {"in_zero", from.zero},
                    {"out_zero", to.zero}},
                   {x, y},
                   {}};
  if (byte_size(from.type) >= byte_size(to.type)) step.in_place = {0};
  return step;
}

LoweredNode lower_function_int16(const LowerContext& context, std::size_t input,
                                 const std::function<double(double)>& function) {
  const Affine from = affine(context.inputs[input]), to = affine(context.outputs[0]);
  const auto clamp = as_clamp(from, function);
  if (!clamp && (from.type != DType::i16 || to.type != DType::i16))
    refuse("a function between int8 and int16", "quantize input and output alike");
  if (!clamp) return table_node(context, input, function);
  const ClampRange both{std::clamp(clamp->min, context.clamp_min, context.clamp_max),
                        std::clamp(clamp->max, context.clamp_min, context.clamp_max)};
  const IntRange range = int_range(to.type);
  LoweredNode lowered;
  lowered.view = from == to && quantize_one(both.min, to) == range.min && quantize_one(both.max, to) == range.max;
  if (!lowered.view)
    lowered.steps.push_back(rescale_step(from, to, both, count_of(context.outputs[0]), in(input), out()));
  return lowered;
}

}  // namespace tinyml
