// Same record as the portable kernel; what differs is what the kernel takes on.
#include "lib/device/pack_pool_dsp.h"

namespace tinyml {
namespace {

template <class T>
T as(const LoweredStep& step, std::string_view field) {
  return static_cast<T>(field_value(step, field));
}

}  // namespace

std::optional<StepForm> avg_pool_dsp_form(const LoweredStep& portable, Target) {
  using U = std::uint16_t;
  tml_pool2d_params p{};
  p.batches = as<U>(portable, "batches"), p.channels = as<U>(portable, "channels");
  p.out_h = as<U>(portable, "out_h"), p.out_w = as<U>(portable, "out_w");
  p.kernel_h = as<U>(portable, "kernel_h"), p.kernel_w = as<U>(portable, "kernel_w");
  if (p.channels < 4 || p.kernel_w > 255) return std::nullopt;
  StepForm form;
  form.step = portable;
  form.step.kernel = "tml_avg_pool2d_s8_dsp";
  form.instructions = instructions(p);
  return form;
}

// Six instructions per tap of four channels are in the assembler; what surrounds them was fitted to the three global
// pools that tests/firmware/kernels/pool_dsp.c measures.
double instructions(const tml_pool2d_params& p) {
  const double points = static_cast<double>(p.batches) * p.out_h * p.out_w;
  return 200 + points * (150 + (p.channels + 3) / 4 * (131.4 + p.kernel_h * (5.6 + 6.0 * p.kernel_w)));
}

}  // namespace tinyml
