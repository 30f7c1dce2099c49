// The packing itself stands in pack_product_dsp.cpp; here are the records around it, and the counts.
#include "lib/device/pack_fully_connected_dsp.h"

#include <algorithm>

#include "lib/device/fully_connected_shape.h"
#include "lib/device/pack_conv2d_dsp.h"
#include "lib/device/pack_product_dsp.h"

namespace tinyml {
namespace {

std::uint32_t in_fours(std::uint32_t n) { return n / 4 + (n % 4 != 0 ? 1 : 0); }

void copy_field(const LoweredStep& from, const char* field, StepForm& to, const char* as) {
  to.step.fields.push_back({as, field_value(from, field)});
}

// The kernels of a form: for any multipliers, and for channel words.
struct Kernels {
  const char *any, *with_words;
};

struct Packed {
  StepForm form;
  bool is_short;
};

// The step with its constants packed, `block` channels together.
std::optional<Packed> packed(const LoweredStep& portable, const Kernels& kernels, std::size_t block) {
  if (field_value(portable, "shift") != 0) return std::nullopt;
  auto stream = pack_product_dsp(portable, fully_connected_shape(portable).in_features, block);
  if (!stream) return std::nullopt;
  StepForm form;
  form.step.kernel = stream->is_short ? kernels.with_words : kernels.any;
  form.step.operands = portable.operands;
  form.step.fields.push_back({"stream", std::move(stream->stream)});
  form.step.fields.push_back({"shift", std::int64_t{stream->shift}});
  for (const char* field : {"out_zero", "clamp_min", "clamp_max"}) copy_field(portable, field, form, field);
  return Packed{std::move(form), stream->is_short};
}

void copy_shape(const LoweredStep& from, StepForm& to) {
  for (const char* field : {"rows", "in_features", "out_features"}) copy_field(from, field, to, field);
}

}  // namespace

std::optional<StepForm> fully_connected_dsp_form(const LoweredStep& portable, Target) {
  auto result = packed(portable, {"tml_fully_connected_s8_dsp", "tml_fully_connected_short_s8_dsp"}, 4);
  if (!result) return std::nullopt;
  copy_shape(portable, result->form);
  result->form.step.overlaps = {{0, whole_rows_distance(portable)}};
  result->form.scratch_bytes = scratch_bytes(fully_connected_shape(portable));
  result->form.instructions = instructions(fully_connected_shape(portable), result->is_short);
  return std::move(result->form);
}

std::optional<StepForm> fully_connected_lean_dsp_form(const LoweredStep& portable, Target) {
  if (fully_connected_shape(portable).in_features % 4 != 0) return std::nullopt;
  auto result = packed(portable, {"tml_fully_connected_lean_s8_dsp", "tml_fully_connected_lean_short_s8_dsp"}, 4);
  if (!result) return std::nullopt;
  copy_shape(portable, result->form);
  result->form.instructions = instructions_lean(fully_connected_shape(portable), result->is_short);
  return std::move(result->form);
}

std::optional<StepForm> fully_connected_as_conv2d_dsp_form(const LoweredStep& portable, Target) {
  constexpr std::uint32_t kLargest = 65535;  // of a convolution's extents
  const tml_fully_connected_dsp_params shape = fully_connected_shape(portable);
  if (shape.rows < 2 || shape.rows > kLargest || shape.in_features > kLargest || shape.out_features > kLargest)
    return std::nullopt;
  auto result = packed(portable, {"tml_conv2d_s8_dsp", "tml_conv2d_short_s8_dsp"}, 2);
  if (!result) return std::nullopt;
  StepForm* form = &result->form;
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
  form->step.overlaps = {{0, output_distance(p)}};
  form->scratch_bytes = scratch_bytes(p);
  predict(*form, conv2d_dsp_terms(p, result->is_short), Target::cortex_m4);
  return std::move(result->form);
}

std::size_t scratch_bytes(const tml_fully_connected_dsp_params& p) { return std::size_t{8} * in_fours(p.in_features); }

namespace {

// Instructions of a row besides the blocks of four channels: the last channels go through a buffer, a narrow clamp is
// a loop of its own.
constexpr double kWords = 12;  // what channel words cost more, per block

double around_blocks(const tml_fully_connected_dsp_params& p) {
  const bool is_clamped = p.clamp_min > -128 || p.clamp_max < 127;
  return (p.out_features % 4 != 0 ? 36 : 0) + (is_clamped ? 8.0 * p.out_features : 0);
}

}  // namespace

// Counted in the assembler; what the compiler makes of the rest (gcc 12, -O2) is measured.
double instructions(const tml_fully_connected_dsp_params& p, bool is_short) {
  const std::uint32_t fours = in_fours(p.in_features), rounds = fours / 2;  // of eight taps
  const double block =
      (is_short ? kWords : 0) + 27 + 15 * (fours % 2) + 27 * rounds + 3 * std::max(in_fours(rounds), 1U);
  return 24 + p.rows * (70 + 8.0 * fours + in_fours(p.out_features) * block + around_blocks(p));
}

double instructions_lean(const tml_fully_connected_dsp_params& p, bool is_short) {
  const std::uint32_t fours = in_fours(p.in_features);
  const double block = (is_short ? kWords : 0) + 27 + 16 * fours + 2 * in_fours(fours);
  return 24 + p.rows * (51 + in_fours(p.out_features) * block + around_blocks(p));
}

}  // namespace tinyml
