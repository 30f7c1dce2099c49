// Same record as the portable kernel; what differs is what the kernel takes on.
#include "lib/device/pack_pool_dsp.h"

#include "lib/device/overlap.h"

namespace tinyml {
namespace {

template <class T>
T as(const LoweredStep& step, std::string_view field) {
  return static_cast<T>(field_value(step, field));
}

tml_pool2d_params shape_of(const LoweredStep& step) {
  using U = std::uint16_t;
  tml_pool2d_params p{};
  p.batches = as<U>(step, "batches"), p.channels = as<U>(step, "channels");
  p.out_h = as<U>(step, "out_h"), p.out_w = as<U>(step, "out_w");
  p.kernel_h = as<U>(step, "kernel_h"), p.kernel_w = as<U>(step, "kernel_w");
  return p;
}

StepForm make_form(const LoweredStep& portable, const char* kernel, Target target) {
  StepForm form;
  form.step = portable;
  form.step.kernel = kernel;
  // As in the portable kernels: pixel by pixel, reading the window again for each block of channels.
  if (const auto distance = raster_distance(window_walk(portable), 1)) form.step.overlaps = {{0, *distance}};
  predict(form, cost_terms(form.step, target), target);
  return form;
}

}  // namespace

std::optional<StepForm> avg_pool_dsp_form(const LoweredStep& portable, Target target) {
  const tml_pool2d_params p = shape_of(portable);
  if (p.channels < 4 || p.kernel_w > 255) return std::nullopt;
  return make_form(portable, "tml_avg_pool2d_s8_dsp", target);
}

std::optional<StepForm> max_pool_dsp_form(const LoweredStep& portable, Target target) {
  const tml_pool2d_params p = shape_of(portable);
  if (p.channels < 4) return std::nullopt;
  return make_form(portable, "tml_max_pool2d_s8_dsp", target);
}

}  // namespace tinyml
