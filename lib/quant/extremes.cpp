// Independent lanes, written so that the compiler keeps them in vector registers: a single running minimum would wait
// for itself at every element.
#include "lib/quant/extremes.h"

#include <algorithm>
#include <array>
#include <limits>

#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::size_t kLanes = 16;

struct Lanes {
  std::array<float, kLanes> low, high, product;
  explicit Lanes(float first) {
    low.fill(first);
    high.fill(first);
    product.fill(0.0F);
  }
  // x * 0 is 0 for a finite x and NaN else; a NaN stays in the sum.
  void add(const float* x) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      low[i] = x[i] < low[i] ? x[i] : low[i];
      high[i] = x[i] > high[i] ? x[i] : high[i];
      product[i] += x[i] * 0.0F;
    }
  }
};

}  // namespace

Extremes find_extremes(std::span<const float> values) {
  if (values.empty()) return {};
  Lanes lanes(values[0]);
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) lanes.add(values.data() + i);
  if (i < values.size()) {
    std::array<float, kLanes> rest;
    rest.fill(values[0]);
    std::copy(values.begin() + static_cast<std::ptrdiff_t>(i), values.end(), rest.begin());
    lanes.add(rest.data());
  }
  float sum = 0;
  for (const float p : lanes.product) sum += p;
  if (sum != 0)  // NaN
    throw Error("calibration gives values that are not finite",
                "check the data's scale (--scale, --mean, --std) and the weights");
  return {*std::min_element(lanes.low.begin(), lanes.low.end()),
          *std::max_element(lanes.high.begin(), lanes.high.end())};
}

}  // namespace tinyml
