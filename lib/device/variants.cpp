// The table of variants, and the choice among the forms of a step. A variant is listed here and nowhere else; the
// functions that pack its constants stand in pack_<op>_<core>.cpp.
#include "lib/device/variants.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "lib/device/pack_avg_pool_mve.h"
#include "lib/device/pack_conv2d_dsp.h"
#include "lib/device/pack_conv2d_mve.h"
#include "lib/device/pack_conv2d_packed_s16_mve.h"
#include "lib/device/pack_conv2d_s16_dsp.h"
#include "lib/device/pack_conv2d_s16_mve.h"
#include "lib/device/pack_conv2d_w4.h"
#include "lib/device/pack_depthwise_dsp.h"
#include "lib/device/pack_depthwise_mve.h"
#include "lib/device/pack_depthwise_w4.h"
#include "lib/device/pack_elementwise_dsp.h"
#include "lib/device/pack_elementwise_mve.h"
#include "lib/device/pack_fully_connected_dsp.h"
#include "lib/device/pack_fully_connected_mve.h"
#include "lib/device/pack_fully_connected_s16_dsp.h"
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

bool is_better(const StepForm& a, const StepForm& b, Optimize optimize) {
  if (optimize == Optimize::size && constant_bytes(a.step) != constant_bytes(b.step))
    return constant_bytes(a.step) < constant_bytes(b.step);
  return instructions_of(a) < instructions_of(b);
}

// Among the forms for other kernels, of which the portable one is always there.
std::size_t best_without(std::span<const StepForm> forms, std::string_view kernel, Optimize optimize) {
  std::size_t best = 0;
  for (std::size_t f = 1; f < forms.size(); ++f)
    if (forms[f].step.kernel != kernel && is_better(forms[f], forms[best], optimize)) best = f;
  return best;
}

}  // namespace

std::span<const KernelVariant> all_variants() {
  constexpr auto kNibbles = KernelVariant::Weights::nibbles, kBytes = KernelVariant::Weights::bytes;
  // Their code is 64 to 400 bytes longer than that of the portable kernels, of some 10 KB that a program has.
  constexpr double kWorthFlash = 0.001;
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
      {"tml_add_s8", has_dsp_alone, add_dsp_form, kBytes, kWorthFlash},
      {"tml_mul_s8", has_dsp_alone, mul_dsp_form, kBytes, kWorthFlash},
      {"tml_lut_s8", has_dsp_alone, lut_dsp_form, kBytes, kWorthFlash},
      {"tml_softmax_s8", has_dsp_alone, softmax_dsp_form, kBytes, kWorthFlash},
      {"tml_conv2d_s16", has_helium, conv2d_packed_s16_mve_form},
      {"tml_conv2d_s16", has_helium, conv2d_s16_mve_form},
      {"tml_depthwise_conv2d_s16", has_helium, depthwise_s16_mve_form},
      {"tml_conv2d_s16", has_dsp, conv2d_s16_dsp_form},
      {"tml_conv2d_s16", has_dsp, fully_connected_s16_dsp_form},
      {"tml_depthwise_conv2d_s16", has_dsp, depthwise_dsp_form},
      {"tml_depthwise_conv2d_s16", has_dsp, depthwise_dsp_small_form},
      {"tml_depthwise_conv2d_s16", has_dsp, depthwise_stride2_dsp_form},
      {"tml_depthwise_conv2d_s16", has_dsp, depthwise_stride2_dsp_small_form},
  };
  return kVariants;
}

bool has_dsp(Target target) { return has_dsp_alone(target) || has_helium(target); }

bool has_dsp_alone(Target target) {
  return target == Target::cortex_m4 || target == Target::cortex_m7 || target == Target::cortex_m33;
}

bool has_helium(Target target) { return target == Target::cortex_m55 || target == Target::cortex_m85; }

void predict(StepForm& form, std::vector<CostTerm> terms, Target target) {
  form.instructions = predicted_instructions(form.step.kernel, terms, target);
  form.terms = std::move(terms);
}

std::vector<StepForm> step_forms(const LoweredStep& portable, Target target) {
  const bool packs = takes_nibbles(portable);
  std::vector<StepForm> forms;
  if (!packs) {
    forms.emplace_back().step = portable;
    predict(forms[0], cost_terms(portable, target), target);
  }
  for (const KernelVariant& variant : all_variants()) {
    if (variant.replaces != portable.kernel || !variant.runs_on(target)) continue;
    if (packs != (variant.weights == KernelVariant::Weights::nibbles)) continue;
    if (auto form = variant.convert(portable, target)) {
      form->least_gain = variant.least_gain;
      forms.push_back(std::move(*form));
    }
  }
  return forms;
}

std::size_t choose_form(std::span<const StepForm> forms, Optimize optimize) {
  const auto before = [&](const StepForm& a, const StepForm& b) { return is_better(a, b, optimize); };
  return static_cast<std::size_t>(std::min_element(forms.begin(), forms.end(), before) - forms.begin());
}

void give_up_small_gains(std::span<const std::span<const StepForm>> forms, Optimize optimize,
                         std::vector<std::size_t>& choice) {
  struct Kernel {
    double gain = 0, least = 0;
    std::vector<std::pair<std::size_t, std::size_t>> others;  // steps, and what they would take else
  };
  std::map<std::string_view, Kernel> kernels;
  double total = 0;
  for (std::size_t s = 0; s < forms.size(); ++s) {
    if (choice[s] >= forms[s].size()) continue;
    const StepForm& chosen = forms[s][choice[s]];
    total += chosen.instructions.value_or(0);
    if (chosen.least_gain == 0) continue;
    const std::size_t other = best_without(forms[s], chosen.step.kernel, optimize);
    Kernel& kernel = kernels[chosen.step.kernel];
    kernel.least = chosen.least_gain;
    kernel.gain += instructions_of(forms[s][other]) - instructions_of(chosen);
    kernel.others.emplace_back(s, other);
  }
  for (const auto& [name, kernel] : kernels)
    if (optimize == Optimize::size || kernel.gain < kernel.least * total)
      for (const auto& [step, other] : kernel.others) choice[step] = other;
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
