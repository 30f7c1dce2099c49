// What is packed is the table of softmax alone: larger distances read its last entry, which must then be 0.
#include "lib/device/pack_elementwise_dsp.h"

#include <cstdlib>
#include <vector>

#include "lib/device/cost.h"

namespace tinyml {
namespace {

StepForm make_form(const LoweredStep& portable, const char* kernel) {
  StepForm form;
  form.step = portable;
  form.step.kernel = kernel;
  return form;
}

StepForm priced(StepForm form, Target target) {
  predict(form, cost_terms(form.step, target), target);
  return form;
}

std::vector<std::int64_t> find_list(const LoweredStep& step, std::string_view name) {
  for (const StepField& field : step.fields)
    if (field.name == name)
      if (const auto* values = std::get_if<std::vector<std::int64_t>>(&field.value)) return *values;
  return {};
}

// Along the rows that the kernel walks: the innermost axis that is no 1.
bool has_pairs(const LoweredStep& step) {
  const std::vector<std::int64_t> dims = find_list(step, "dims"), a = find_list(step, "a_strides"),
                                  b = find_list(step, "b_strides");
  if (dims.empty() || a.size() != dims.size() || b.size() != dims.size()) return false;
  std::size_t inner = dims.size() - 1;
  while (inner > 0 && dims[inner] == 1) --inner;
  const auto runs = [&](std::int64_t stride) { return stride == 0 || stride == 1; };
  return runs(a[inner]) && runs(b[inner]) && a[inner] + b[inner] > 0;
}

}  // namespace

std::optional<StepForm> add_dsp_form(const LoweredStep& portable, Target target) {
  const std::int64_t shift = field_value(portable, "shift");
  if (!has_pairs(portable) || shift < 16 || shift > 30) return std::nullopt;
  const std::int64_t factors =
      std::llabs(field_value(portable, "a_multiplier")) + std::llabs(field_value(portable, "b_multiplier"));
  const std::int64_t offset = (2 * (field_value(portable, "out_zero") + 128) + 1) << (shift - 1);
  if (255 * factors + offset > INT32_MAX) return std::nullopt;
  return priced(make_form(portable, "tml_add_s8_dsp"), target);
}

std::optional<StepForm> mul_dsp_form(const LoweredStep& portable, Target target) {
  if (!has_pairs(portable) || field_value(portable, "shift") != 0) return std::nullopt;
  return priced(make_form(portable, "tml_mul_s8_dsp"), target);
}

std::optional<StepForm> lut_dsp_form(const LoweredStep& portable, Target target) {
  return priced(make_form(portable, "tml_lut_s8_dsp"), target);
}

std::optional<StepForm> softmax_dsp_form(const LoweredStep& portable, Target target) {
  constexpr std::int64_t kMostEntries = 256;
  const Tensor* table = field_tensor(portable, "exp_table");
  if (!table || field_value(portable, "inner") != 1 || field_value(portable, "depth") < 4 ||
      field_value(portable, "clamp_min") != -128 || field_value(portable, "clamp_max") != 127)
    return std::nullopt;
  StepForm form = make_form(portable, "tml_softmax_s8_dsp");
  if (table->size() < kMostEntries) {
    const auto entries = table->data<std::uint32_t>();
    std::vector<std::uint32_t> longer(entries.begin(), entries.end());
    longer.push_back(0);
    for (StepField& field : form.step.fields) {
      if (field.name == "exp_table") field.value = Tensor::from<std::uint32_t>({table->size() + 1}, longer);
      if (field.name == "table_size") field.value = table->size() + 1;
    }
  }
  return priced(std::move(form), target);
}

}  // namespace tinyml
