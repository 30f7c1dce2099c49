// The kernel walks rows as the portable one does; only rows in which no operand is broadcast are faster.
#include "lib/device/pack_add_mve.h"

#include <vector>

namespace tinyml {
namespace {

const std::vector<std::int64_t>* find_list(const LoweredStep& step, std::string_view name) {
  for (const StepField& field : step.fields)
    if (field.name == name) return std::get_if<std::vector<std::int64_t>>(&field.value);
  return nullptr;
}

}  // namespace

std::optional<StepForm> add_mve_form(const LoweredStep& portable, Target) {
  const auto *dims = find_list(portable, "dims"), *a = find_list(portable, "a_strides"),
             *b = find_list(portable, "b_strides");
  if (!dims || !a || !b) return std::nullopt;
  double rows = 1;
  std::int64_t run = 1;  // elements of a row that both operands hold densely
  for (std::size_t i = dims->size(); i-- > 0;) {
    if ((*dims)[i] == 1) continue;
    if (rows == 1 && (*a)[i] == run && (*b)[i] == run) {
      run *= (*dims)[i];
    } else {
      rows *= static_cast<double>((*dims)[i]);
    }
  }
  if (run < 8) return std::nullopt;
  StepForm form;
  form.step = portable;
  form.step.kernel = "tml_add_s8_mve";
  form.instructions = 150 + rows * (60 + 2.5 * static_cast<double>(run));
  return form;
}

}  // namespace tinyml
