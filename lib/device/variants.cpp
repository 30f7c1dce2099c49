// The table of variants, and the choice among the forms of a step. A variant is listed here and nowhere else; the
// functions that pack its constants stand in pack_<op>_<core>.cpp.
#include "lib/device/variants.h"

#include <algorithm>
#include <limits>

#include "lib/device/cost.h"
#include "lib/device/pack_avg_pool_mve.h"
#include "lib/device/pack_conv2d_dsp.h"
#include "lib/device/pack_conv2d_mve.h"
#include "lib/device/pack_conv2d_s16_dsp.h"
#include "lib/device/pack_conv2d_s16_mve.h"
#include "lib/device/pack_conv2d_w4.h"
#include "lib/device/pack_depthwise_dsp.h"
#include "lib/device/pack_depthwise_mve.h"
#include "lib/device/pack_depthwise_w4.h"
#include "lib/device/pack_elementwise_mve.h"
#include "lib/device/pack_fully_connected_dsp.h"
#include "lib/device/pack_fully_connected_mve.h"
#include "lib/device/pack_fully_connected_w4.h"
#include "lib/device/pack_max_pool_mve.h"
#include "lib/device/pack_nibbles.h"
#include "lib/device/pack_pool_dsp.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Bytes that a form adds to the flash: its constant arrays.
std::size_t constant_bytes(const LoweredStep& step) {
  std::size_t bytes = 0;
  for (const StepField& field : step.fields) {
    if (const auto* one = std::get_if<Tensor>(&field.value)) bytes += one->bytes();
    if (const auto* several = std::get_if<std::vector<Tensor>>(&field.value))
      for (const Tensor& tensor : *several) bytes += tensor.bytes();
  }
  return bytes;
}

bool any_core(Target) { return true; }

double instructions_of(const StepForm& form) { return form.instructions.value_or(std::numeric_limits<double>::max()); }

}  // namespace

std::span<const KernelVariant> all_variants() {
  constexpr auto kNibbles = KernelVariant::Weights::nibbles;
  static constexpr KernelVariant kVariants[] = {
      {"tml_conv2d_s8", any_core, conv2d_w4_form, kNibbles},
      {"tml_conv2d_s8", has_helium, conv2d_w4_mve_form, kNibbles},
      {"tml_conv2d_s8", has_helium, conv2d_w4_mve_small_form, kNibbles},
      {"tml_conv2d_s8", has_dsp, conv2d_w4_dsp_form, kNibbles},
      {"tml_conv2d_s8", has_dsp, conv2d_w4_dsp_small_form, kNibbles},
      {"tml_depthwise_conv2d_s8", any_core, depthwise_w4_form, kNibbles},
      {"tml_depthwise_conv2d_s8", has_helium, depthwise_w4_mve_form, kNibbles},
      {"tml_depthwise_conv2d_s8", has_dsp, depthwise_w4_dsp_form, kNibbles},
      {"tml_depthwise_conv2d_s8", has_dsp, depthwise_w4_dsp_small_form, kNibbles},
      {"tml_depthwise_conv2d_s8", has_dsp, depthwise_stride2_w4_dsp_form, kNibbles},
      {"tml_depthwise_conv2d_s8", has_dsp, depthwise_stride2_w4_dsp_small_form, kNibbles},
      {"tml_fully_connected_s8", any_core, fully_connected_w4_form, kNibbles},
      {"tml_fully_connected_s8", has_helium, fully_connected_w4_mve_form, kNibbles},
      {"tml_fully_connected_s8", has_dsp, fully_connected_w4_dsp_form, kNibbles},
      {"tml_conv2d_s8", has_helium, conv2d_mve_form},
      {"tml_depthwise_conv2d_s8", has_helium, depthwise_mve_form},
      {"tml_fully_connected_s8", has_helium, fully_connected_mve_form},
      {"tml_fully_connected_s8", has_helium, fully_connected_as_conv2d_mve_form},
      {"tml_avg_pool2d_s8", has_helium, avg_pool_mve_form},
      {"tml_max_pool2d_s8", has_helium, max_pool_mve_form},
      {"tml_add_s8", has_helium, add_mve_form},
      {"tml_mul_s8", has_helium, mul_mve_form},
      {"tml_lut_s8", has_helium, lut_mve_form},
      {"tml_softmax_s8", has_helium, softmax_mve_form},
      {"tml_conv2d_s8", has_dsp, conv2d_dsp_form},
      {"tml_depthwise_conv2d_s8", has_dsp, depthwise_dsp_form},
      {"tml_depthwise_conv2d_s8", has_dsp, depthwise_dsp_small_form},
      {"tml_depthwise_conv2d_s8", has_dsp, depthwise_stride2_dsp_form},
      {"tml_depthwise_conv2d_s8", has_dsp, depthwise_stride2_dsp_small_form},
      {"tml_fully_connected_s8", has_dsp, fully_connected_dsp_form},
      {"tml_fully_connected_s8", has_dsp, fully_connected_lean_dsp_form},
      {"tml_fully_connected_s8", has_dsp, fully_connected_as_conv2d_dsp_form},
      {"tml_avg_pool2d_s8", has_dsp, avg_pool_dsp_form},
      {"tml_max_pool2d_s8", has_dsp, max_pool_dsp_form},
      {"tml_conv2d_s16", has_helium, conv2d_s16_mve_form},
      {"tml_depthwise_conv2d_s16", has_helium, depthwise_s16_mve_form},
      {"tml_conv2d_s16", has_dsp, conv2d_s16_dsp_form},
      {"tml_depthwise_conv2d_s16", has_dsp, depthwise_dsp_form},
      {"tml_depthwise_conv2d_s16", has_dsp, depthwise_dsp_small_form},
      {"tml_depthwise_conv2d_s16", has_dsp, depthwise_stride2_dsp_form},
      {"tml_depthwise_conv2d_s16", has_dsp, depthwise_stride2_dsp_small_form},
  };
  return kVariants;
}

bool has_dsp(Target target) {
  return target == Target::cortex_m4 || target == Target::cortex_m7 || target == Target::cortex_m33 ||
         has_helium(target);
}

bool has_helium(Target target) { return target == Target::cortex_m55 || target == Target::cortex_m85; }

std::vector<StepForm> step_forms(const LoweredStep& portable, Target target) {
  const bool packs = takes_nibbles(portable);
  std::vector<StepForm> forms;
  if (!packs) {
    forms.emplace_back().step = portable;
    forms[0].instructions = predicted_instructions(portable, target);
  }
  for (const KernelVariant& variant : all_variants()) {
    if (variant.replaces != portable.kernel || !variant.runs_on(target)) continue;
    if (packs != (variant.weights == KernelVariant::Weights::nibbles)) continue;
    if (auto form = variant.convert(portable, target)) forms.push_back(std::move(*form));
  }
  return forms;
}

std::size_t choose_form(std::span<const StepForm> forms, Optimize optimize) {
  const auto before = [&](const StepForm& a, const StepForm& b) {
    if (optimize == Optimize::ram && a.scratch_bytes != b.scratch_bytes) return a.scratch_bytes < b.scratch_bytes;
    if (optimize == Optimize::size && constant_bytes(a.step) != constant_bytes(b.step))
      return constant_bytes(a.step) < constant_bytes(b.step);
    return instructions_of(a) < instructions_of(b);
  };
  return static_cast<std::size_t>(std::min_element(forms.begin(), forms.end(), before) - forms.begin());
}

std::int64_t field_value(const LoweredStep& step, std::string_view name) {
  for (const StepField& field : step.fields)
    if (field.name == name) return std::get<std::int64_t>(field.value);
  return 0;
}

const Tensor* field_tensor(const LoweredStep& step, std::string_view name) {
  for (const StepField& field : step.fields)
    if (field.name == name) return &std::get<Tensor>(field.value);
  return nullptr;
}

const std::vector<std::int64_t>& field_list(const LoweredStep& step, std::string_view name) {
  for (const StepField& field : step.fields)
    if (field.name == name) return std::get<std::vector<std::int64_t>>(field.value);
  static const std::vector<std::int64_t> kNone;
  return kNone;
}

bool has_field(const LoweredStep& step, std::string_view name) {
  return std::any_of(step.fields.begin(), step.fields.end(), [&](const StepField& f) { return f.name == name; });
}

}  // namespace tinyml
