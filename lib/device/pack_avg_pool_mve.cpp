// The count is fitted to three global poolings measured by scripts/kernel_tests.sh --layers avg_pool_mve.
#include "lib/device/pack_avg_pool_mve.h"

namespace tinyml {

std::optional<StepForm> avg_pool_mve_form(const LoweredStep& portable, Target) {
  const auto value = [&](std::string_view field) { return static_cast<double>(field_value(portable, field)); };
  if (field_value(portable, "shift") != 0) return std::nullopt;
  StepForm form;
  form.step = portable;
  form.step.kernel = "tml_avg_pool2d_s8_mve";
  const double points = value("batches") * value("out_h") * value("out_w");
  const auto blocks = static_cast<double>((field_value(portable, "channels") + 3) / 4);
  form.instructions = 150 + points * (50 + blocks * (39.5 + value("kernel_h") * (5 + 5 * value("kernel_w"))));
  return form;
}

}  // namespace tinyml
