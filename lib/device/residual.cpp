// tml_add_s8 computes zero + ((a - a_zero) * a_multiplier + (b - b_zero) * b_multiplier + 2^(shift-1)) >> shift; the
// convolutions' second stage has the constant part of it as add_bias, so the sums are the same to the bit.
#include "lib/device/residual.h"

#include <algorithm>
#include <array>

#include "lib/device/conv2d_shape.h"
#include "lib/device/pack_conv2d_dsp.h"
#include "lib/device/pack_conv2d_mve.h"

namespace tinyml {
namespace {

// Both operands are maps of `bytes` elements, side by side.
bool is_dense_add(const LoweredStep& step, std::size_t bytes) {
  if (step.kernel != "tml_add_s8" || has_field(step, "a_const") || has_field(step, "b_const")) return false;
  const auto &dims = field_list(step, "dims"), &a = field_list(step, "a_strides"), &b = field_list(step, "b_strides");
  if (dims.empty() || a.size() != dims.size() || b.size() != dims.size()) return false;
  const bool is_flat = std::all_of(dims.begin(), dims.end() - 1, [](std::int64_t d) { return d == 1; });
  return is_flat && dims.back() == static_cast<std::int64_t>(bytes) && a.back() == 1 && b.back() == 1;
}

std::size_t uses(std::span<const ViewStep> steps, int buffer) {
  std::size_t count = 0;
  for (const ViewStep& step : steps)
    count += static_cast<std::size_t>(std::count(step.operands->begin(), step.operands->end(), buffer));
  return count;
}

std::int64_t work(const LoweredStep& conv) {
  const Tensor* weights = field_tensor(conv, "weights");
  return weights == nullptr ? 0 : weights->size();
}

// The step that yields an operand of the addition and does nothing else that anyone sees.
std::optional<std::size_t> conv_before(std::span<const ViewStep> steps, std::span<const int> ports, std::size_t add,
                                       int buffer) {
  if (std::find(ports.begin(), ports.end(), buffer) != ports.end() || uses(steps, buffer) != 2) return std::nullopt;
  for (std::size_t s = 0; s < add; ++s)
    if (steps[s].operands->back() == buffer && steps[s].step->kernel == "tml_conv2d_s8" &&
        steps[s].operands->size() == 2)
      return s;
  return std::nullopt;
}

}  // namespace

std::vector<Residual> find_residuals(std::span<const ViewStep> steps, std::span<const std::size_t> bytes,
                                     std::span<const int> ports) {
  std::vector<Residual> found;
  for (std::size_t add = 0; add < steps.size(); ++add) {
    const std::vector<int>& operands = *steps[add].operands;
    if (operands.size() != 3 || !is_dense_add(*steps[add].step, bytes[static_cast<std::size_t>(operands[2])])) continue;
    std::optional<Residual> best;
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
      const auto conv = conv_before(steps, ports, add, operands[k]);
      if (!conv || operands[1 - k] == operands[2] || operands[0] == operands[1]) continue;
      if (!best || work(*steps[*conv].step) > work(*steps[best->conv].step)) best = {*conv, add, k};
    }
    if (best) found.push_back(*best);
  }
  return found;
}

std::optional<StepForm> with_residual(const LoweredStep& conv, const StepForm& form, const LoweredStep& add,
                                      std::size_t conv_operand) {
  const bool is_short = form.step.kernel == "tml_conv2d_short_s8_dsp";
  const bool is_dsp = is_short || form.step.kernel == "tml_conv2d_s8_dsp";
  if (!is_dsp && form.step.kernel != "tml_conv2d_s8_mve") return std::nullopt;
  const std::array<const char*, 2> multipliers{"a_multiplier", "b_multiplier"}, zeros{"a_zero", "b_zero"};
  const std::int64_t own = field_value(add, multipliers[conv_operand]), shift = field_value(add, "shift"),
                     other = field_value(add, multipliers[1 - conv_operand]);
  tml_conv2d_dsp_params p = conv2d_shape(conv);
  p.add_shift = static_cast<std::uint8_t>(shift);
  p.add_min = static_cast<std::int8_t>(field_value(add, "clamp_min"));
  p.add_max = static_cast<std::int8_t>(field_value(add, "clamp_max"));
  StepForm fused{.step = form.step, .scratch_bytes = 0, .instructions = std::nullopt};
  fused.step.operands.clear();
  fused.step.in_place.clear();
  fused.step.overlaps = {{0, is_dsp ? output_distance(p) : output_distance_mve(p)}, {1, std::nullopt}};
  fused.step.fields.push_back({"add_bias", (std::int64_t{1} << (shift - 1)) -
                                               field_value(add, zeros[conv_operand]) * own -
                                               field_value(add, zeros[1 - conv_operand]) * other});
  fused.step.fields.push_back({"add_multiplier", own});
  fused.step.fields.push_back({"residual_multiplier", other});
  fused.step.fields.push_back({"add_shift", shift});
  fused.step.fields.push_back({"add_zero", field_value(add, "out_zero")});
  fused.step.fields.push_back({"add_min", p.add_min});
  fused.step.fields.push_back({"add_max", p.add_max});
  fused.scratch_bytes = is_dsp ? scratch_bytes(p) : scratch_bytes_mve(p);
  if (is_dsp)
    predict(fused, conv2d_dsp_terms(p, is_short), Target::cortex_m4);
  else
    predict(fused, conv2d_mve_terms(p), Target::cortex_m55);
  return fused;
}

}  // namespace tinyml
