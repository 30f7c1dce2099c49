// The packing itself stands in pack_product_mve.cpp; here are the records around it, and the counts.
#include "lib/device/pack_fully_connected_mve.h"

#include "lib/device/fully_connected_shape.h"
#include "lib/device/pack_conv2d_mve.h"
#include "lib/device/pack_product_mve.h"

namespace tinyml {
namespace {

std::size_t in_eights(std::size_t n) { return (n + 7) / 8; }

void copy_field(const LoweredStep& from, const char* field, StepForm& to, const char* as) {
  to.step.fields.push_back({as, field_value(from, field)});
}

// The step with its constants packed, `block` channels together.
std::optional<StepForm> packed(const LoweredStep& portable, const char* kernel, std::size_t block) {
  const tml_fully_connected_dsp_params p = fully_connected_shape(portable);
  if (field_value(portable, "shift") != 0 || !packs_tightly_mve(p.out_features, p.in_features, block))
    return std::nullopt;
  StepForm form;
  form.step.kernel = kernel;
  form.step.operands = portable.operands;
  form.step.fields.push_back({"stream", pack_product_mve(portable, p.in_features, block)});
  for (const char* field : {"out_zero", "clamp_min", "clamp_max"}) copy_field(portable, field, form, field);
  return form;
}

}  // namespace

std::optional<StepForm> fully_connected_mve_form(const LoweredStep& portable, Target) {
  auto form = packed(portable, "tml_fully_connected_s8_mve", 8);
  if (!form) return form;
  for (const char* field : {"rows", "in_features", "out_features"}) copy_field(portable, field, *form, field);
  form->scratch_bytes = scratch_bytes_mve(fully_connected_shape(portable));
  predict(*form, fully_connected_mve_terms(fully_connected_shape(portable)), Target::cortex_m55);
  return form;
}

std::optional<StepForm> fully_connected_as_conv2d_mve_form(const LoweredStep& portable, Target) {
  constexpr std::uint32_t kLargest = 65528;  // of a convolution's extents
  const tml_fully_connected_dsp_params shape = fully_connected_shape(portable);
  if (shape.rows < 2 || shape.rows > kLargest || shape.in_features > kLargest || shape.out_features > kLargest)
    return std::nullopt;
  auto form = packed(portable, "tml_conv2d_s8_mve", 4);
  if (!form) return form;
  for (const char* field :
       {"batches", "in_h", "out_h", "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w"})
    form->step.fields.push_back({field, std::int64_t{1}});
  copy_field(portable, "rows", *form, "in_w");
  copy_field(portable, "rows", *form, "out_w");
  copy_field(portable, "in_features", *form, "in_c");
  copy_field(portable, "out_features", *form, "out_c");
  copy_field(portable, "in_zero", *form, "in_zero");
  tml_conv2d_dsp_params p{};
  p.batches = p.in_h = p.out_h = p.kernel_h = p.kernel_w = p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
  p.in_w = p.out_w = static_cast<std::uint16_t>(shape.rows);
  p.in_c = static_cast<std::uint16_t>(shape.in_features), p.out_c = static_cast<std::uint16_t>(shape.out_features);
  p.clamp_min = shape.clamp_min, p.clamp_max = shape.clamp_max;
  form->step.overlaps = {{0, output_distance_mve(p)}};
  form->scratch_bytes = scratch_bytes_mve(p);
  predict(*form, conv2d_mve_terms(p), Target::cortex_m55);
  return form;
}

std::size_t scratch_bytes_mve(const tml_fully_connected_dsp_params& p) {
  return p.in_features % 8 == 0 ? 0 : 8 * in_eights(p.in_features);
}

std::vector<CostTerm> fully_connected_mve_terms(const tml_fully_connected_dsp_params& p) {
  const auto real = [](std::size_t n) { return static_cast<double>(n); };
  const std::size_t eights = in_eights(p.in_features), steps = eights / 2;
  const double rows = p.rows, blocks = rows * real(in_eights(p.out_features));
  TermSum sum;
  sum.add("call", 1);
  sum.add("row", rows);
  sum.add("block", blocks);
  if (eights % 2 != 0) sum.add("half_step", blocks);
  sum.add("step", blocks * real(steps));
  sum.add("eight_steps", blocks * real((steps + 7) / 8));
  if (p.in_features % 8 != 0) {
    sum.add("copied_row", rows);
    sum.add("copied_vector", rows * real((p.in_features + 15U) / 16));
  }
  if (p.clamp_min == -128 && p.clamp_max == 127) return sum.take();
  sum.add("clamped_row", rows);
  sum.add("clamped_vector", rows * real((p.out_features + 15U) / 16));
  return sum.take();
}

double instructions_mve(const tml_fully_connected_dsp_params& p) {
  return predicted_instructions("tml_fully_connected_s8_mve", fully_connected_mve_terms(p), Target::cortex_m55)
      .value_or(0);
}

}  // namespace tinyml
