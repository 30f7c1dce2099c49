// The costs were fitted to the layers that tests/firmware/kernels/conv_s16_mve.c measures.
#include "lib/device/pack_conv2d_s16_mve.h"

#include "lib/device/overlap.h"

namespace tinyml {
namespace {

// Taps inside of the input, for each output position along an axis.
std::vector<std::int64_t> taps_inside(const RasterWalk::Axis& axis) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < axis.out; ++i) {
    std::int64_t inside = 0;
    for (std::int64_t k = 0; k < axis.kernel; ++k) {
      const std::int64_t at = i * axis.stride - axis.pad + k * axis.dilation;
      inside += at >= 0 && at < axis.in ? 1 : 0;
    }
    all.push_back(inside);
  }
  return all;
}

// Whether taps_inside takes milliseconds. What is larger fits no microcontroller.
bool is_countable(const LoweredStep& step) {
  const RasterWalk walk = window_walk(step, 1);
  return (walk.h.out + walk.w.out) * (walk.h.kernel + walk.w.kernel) < (1 << 24);
}

double real(std::int64_t n) { return static_cast<double>(n); }

// Ten instructions for eight taps of four channels.
double conv_cost(const LoweredStep& step) {
  const RasterWalk walk = window_walk(step, 1);
  double rows = 0, runs = 0;
  for (const std::int64_t inside : taps_inside(walk.h)) rows += real(inside);
  for (const std::int64_t inside : taps_inside(walk.w)) {
    const bool is_dense = walk.w.dilation == 1;
    const std::int64_t n = is_dense ? inside * walk.in_bytes : walk.in_bytes;
    if (inside > 0) runs += real(is_dense ? 1 : inside) * (51 + 10 * real((n + 7) / 8));
  }
  const double pixels = real(walk.h.out) * real(walk.w.out), blocks = real((walk.out_bytes + 3) / 4);
  return 100 + real(walk.batches) * (pixels * (110 + 54 * blocks) + blocks * rows * runs);
}

double depthwise_cost(const LoweredStep& step) {
  const RasterWalk walk = window_walk(step, 1);
  double rows = 0, columns = 0;
  for (const std::int64_t inside : taps_inside(walk.h)) rows += real(inside);
  for (const std::int64_t inside : taps_inside(walk.w)) columns += real(inside);
  const double pixels = real(walk.h.out) * real(walk.w.out), blocks = real((walk.out_bytes + 7) / 8);
  return 100 + real(walk.batches) * (pixels * (62 + 88 * blocks) + blocks * rows * columns * 10);
}

StepForm make_form(const LoweredStep& portable, const char* kernel, double instructions) {
  StepForm form;
  form.step = portable;
  form.step.kernel = kernel;
  if (const auto distance = raster_distance(window_walk(portable, 2), 1)) form.step.overlaps = {{0, *distance}};
  form.instructions = instructions;
  return form;
}

}  // namespace

std::optional<StepForm> conv2d_s16_mve_form(const LoweredStep& portable, Target) {
  if (field_value(portable, "groups") != 1 || field_value(portable, "shift") != 0 ||
      field_value(portable, "out_c") < 4 || !is_countable(portable))
    return std::nullopt;
  return make_form(portable, "tml_conv2d_s16_mve", conv_cost(portable));
}

std::optional<StepForm> depthwise_s16_mve_form(const LoweredStep& portable, Target) {
  const std::int64_t channels = field_value(portable, "out_c");
  if (field_value(portable, "shift") != 0 || channels < 8 || field_value(portable, "in_c") != channels ||
      !is_countable(portable))
    return std::nullopt;
  return make_form(portable, "tml_depthwise_conv2d_s16_mve", depthwise_cost(portable));
}

}  // namespace tinyml
