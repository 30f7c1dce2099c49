// Rounding noise is taken as uniform, s^2 / 12: exact enough when the step is narrower than the data's spread.
#include "lib/quant/squared_error.h"

namespace tinyml {

std::vector<Mass> masses(const Histogram& h) {
  constexpr int kSide = Histogram::kSide;
  std::vector<Mass> list;
  for (int bin = -kSide; bin < kSide; ++bin) {
    const auto seen = h.counts()[static_cast<std::size_t>(kSide + bin)];
    const auto count = static_cast<double>(bin == 0 ? seen - h.zeros() : seen);
    if (count > 0) list.push_back({(bin + 0.5) * h.bin_width(), count});
  }
  return list;
}

double squared_error(const std::vector<Mass>& list, double min, double max, int steps) {
  const double s = (max - min) / steps, rounding = s * s / 12;
  double sum = 0;
  for (const Mass& m : list) {
    const double beyond = m.x < min ? min - m.x : m.x > max ? m.x - max : 0;
    sum += m.count * (beyond > 0 ? beyond * beyond : rounding);
  }
  return sum;
}

}  // namespace tinyml
