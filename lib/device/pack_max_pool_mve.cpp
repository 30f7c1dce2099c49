// The counts are fitted to layers measured by scripts/kernel_tests.sh --layers pool_mve.
#include "lib/device/pack_max_pool_mve.h"

#include "lib/device/overlap.h"

namespace tinyml {
namespace {

// Over the outputs along an axis, the sum of what `cost` makes of the number of taps inside of the input.
template <class Cost>
double sum_over(const RasterWalk::Axis& axis, Cost cost) {
  double sum = 0;
  for (std::int64_t at = 0; at < axis.out; ++at) {
    int inside = 0;
    for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
      const std::int64_t position = at * axis.stride - axis.pad + tap * axis.dilation;
      inside += position >= 0 && position < axis.in;
    }
    sum += cost(inside);
  }
  return sum;
}

}  // namespace

std::optional<StepForm> max_pool_mve_form(const LoweredStep& portable, Target) {
  const RasterWalk walk = window_walk(portable);
  const auto batches = static_cast<double>(walk.batches), lines = batches * static_cast<double>(walk.h.out);
  const auto blocks = static_cast<double>((field_value(portable, "channels") + 15) / 16);
  const double pixels = lines * static_cast<double>(walk.w.out);
  const double rows = batches * sum_over(walk.h, [](int inside) { return inside; });
  const double taps = sum_over(walk.w, [](int inside) {
    return inside == 3 ? 11 : inside == 2 ? 8 : 5.0 * inside + 5;
  });
  StepForm form;
  form.step = portable;
  form.step.kernel = "tml_max_pool2d_s8_mve";
  // As in the portable kernel: pixel by pixel, reading the window again for each block of channels.
  if (const auto distance = raster_distance(walk, 1)) form.step.overlaps = {{0, *distance}};
  form.instructions = 100 + lines * 40 + pixels * 74 + blocks * (7 * pixels + rows * taps);
  return form;
}

}  // namespace tinyml
