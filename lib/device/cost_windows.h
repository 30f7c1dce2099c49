// Windows of convolutions and pools, as the kernels cut them at the borders: what the files that count a kernel's loops
// share.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <map>

#include "lib/device/variants.h"

namespace tinyml {

// Taps [begin, end) of a window that lie inside, along one axis.
struct Window {
  std::int64_t begin = 0, end = 0;
  auto operator<=>(const Window&) const = default;
  std::int64_t inside() const { return end - begin; }
};

struct Axis {
  std::int64_t in, out, kernel, stride, dilation, pad;

  Window window(std::int64_t at) const {
    const std::int64_t origin = at * stride - pad;
    Window w{0, kernel};
    while (w.begin < w.end && origin + w.begin * dilation < 0) ++w.begin;
    while (w.end > w.begin && origin + (w.end - 1) * dilation >= in) --w.end;
    return w;
  }
  bool is_full(Window w) const { return w.begin == 0 && w.end == kernel; }
  // Whether all its windows can be visited in milliseconds.
  bool is_walkable() const { return out * kernel < (1 << 24); }
};

struct ConvShape {
  explicit ConvShape(const LoweredStep& step) {
    const auto value = [&](const char* name) { return field_value(step, name); };
    batches = value("batches"), groups = std::max<std::int64_t>(value("groups"), 1);
    in_c = value("in_c"), out_c = value("out_c"), shift = value("shift");
    y = {value("in_h"), value("out_h"), value("kernel_h"), value("stride_h"), value("dilation_h"), value("pad_top")};
    x = {value("in_w"), value("out_w"), value("kernel_w"), value("stride_w"), value("dilation_w"), value("pad_left")};
    depth = in_c / groups, count = out_c / groups, taps = y.kernel * x.kernel;
    is_narrow = value("clamp_min") != -128 || value("clamp_max") != 127;
  }

  // Windows of rows that are alike, and how many.
  std::map<Window, double> row_kinds() const {
    std::map<Window, double> kinds;
    for (std::int64_t at = 0; at < y.out; ++at) kinds[y.window(at)] += static_cast<double>(batches);
    return kinds;
  }

  // All of the work: larger ones fit no microcontroller.
  bool is_walkable() const { return (y.out + x.out) * (y.kernel + x.kernel) < (1 << 24); }

  std::int64_t batches, groups, in_c, out_c, shift, depth, count, taps;
  bool is_narrow;
  Axis y, x;
};

}  // namespace tinyml
