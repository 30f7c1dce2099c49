// Same records as the portable kernels.
#include "lib/device/pack_conv2d_s16_mve.h"

#include "lib/device/overlap.h"

namespace tinyml {
namespace {

StepForm make_form(const LoweredStep& portable, const char* kernel, Target target) {
  StepForm form;
  form.step = portable;
  form.step.kernel = kernel;
  if (const auto distance = raster_distance(window_walk(portable, 2), 1)) form.step.overlaps = {{0, *distance}};
  predict(form, cost_terms(form.step, target), target);
  return form;
}

}  // namespace

std::optional<StepForm> conv2d_s16_mve_form(const LoweredStep& portable, Target target) {
  if (field_value(portable, "groups") != 1 || field_value(portable, "shift") != 0 || field_value(portable, "out_c") < 4)
    return std::nullopt;
  return make_form(portable, "tml_conv2d_s16_mve", target);
}

std::optional<StepForm> depthwise_s16_mve_form(const LoweredStep& portable, Target target) {
  const std::int64_t channels = field_value(portable, "out_c");
  if (field_value(portable, "shift") != 0 || channels < 8 || field_value(portable, "in_c") != channels)
    return std::nullopt;
  return make_form(portable, "tml_depthwise_conv2d_s16_mve", target);
}

}  // namespace tinyml
