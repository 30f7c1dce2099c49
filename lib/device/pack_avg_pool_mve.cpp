// Same record as the portable kernel.
#include "lib/device/pack_avg_pool_mve.h"

#include "lib/device/overlap.h"

namespace tinyml {

std::optional<StepForm> avg_pool_mve_form(const LoweredStep& portable, Target target) {
  if (field_value(portable, "shift") != 0) return std::nullopt;
  StepForm form;
  form.step = portable;
  form.step.kernel = "tml_avg_pool2d_s8_mve";
  // A point's window is read again for each block of channels.
  if (const auto distance = raster_distance(window_walk(portable), 1)) form.step.overlaps = {{0, *distance}};
  predict(form, cost_terms(form.step, target), target);
  return form;
}

}  // namespace tinyml
