// Migacz's search ("8-bit inference with TensorRT", GTC 2017) measures every threshold on bins of one width. With the
// few samples of calibration it clips far too much, for two reasons that are mended here:
// - Scattered counts diverge from any smooth distribution, by about 1/2 per free bin (Miller 1955, "Note on the bias of
//   information estimates"). A wide threshold has more bins to a level, a narrow one as few as one: scatter decides,
//   and for the narrow. Here each candidate is measured on the halves of its own levels, equally many for all, and
//   the mean of the scatter is subtracted.
// - It weighs how many values are clipped, not how far. A few large activations often carry a layer's result, so no
//   threshold is taken whose expected squared error exceeds that of the unclipped range.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "lib/quant/range.h"
#include "lib/quant/squared_error.h"

namespace tinyml {
namespace {

constexpr int kSide = Histogram::kSide;

double x_log(double p, double q) { return p > 0 ? p * std::log(p / q) : 0.0; }

// Mean of k log(2k/n) + (n-k) log(2(n-k)/n) for k of n fair throws, neither half empty.
double chance_divergence(int n) {
  double sum = 0, weight = 0, ways = n;  // n over k
  for (int k = 1; k < n; ++k) {
    sum += ways * (x_log(k, n / 2.0) + x_log(n - k, n / 2.0));
    weight += ways;
    ways = ways * (n - k) / (k + 1);
  }
  return weight > 0 ? sum / weight : 0.0;
}

class ChanceTable {
 public:
  ChanceTable() {
    for (int n = 0; n <= kExact; ++n) values_[static_cast<std::size_t>(n)] = chance_divergence(n);
  }
  // Counts are fractions where a bin lies across an edge.
  double at(double n) const {
    if (n >= kExact) return 0.5 + 0.25 / n;
    const auto below = static_cast<std::size_t>(n);
    const double part = n - static_cast<double>(below);
    return (1 - part) * values_[below] + part * values_[below + 1];
  }

 private:
  static constexpr int kExact = 64;
  std::array<double, kExact + 1> values_{};
};

// Values below x, the counts within a bin taken as evenly spread. Exact zeros are left out: they lie on every grid.
class Cumulative {
 public:
  explicit Cumulative(const Histogram& h)
      : width_(h.bin_width()), min_(h.min()), max_(h.max()), sums_(2 * kSide + 1, 0.0) {
    for (std::size_t i = 0; i < 2 * kSide; ++i)
      sums_[i + 1] = sums_[i] + static_cast<double>(i == kSide ? h.counts()[i] - h.zeros() : h.counts()[i]);
  }
  double total() const { return sums_.back(); }
  double below(double x) const {
    if (x <= min_) return 0;
    if (x >= max_) return total();
    const double at = std::clamp(x / width_ + kSide, 0.0, 2.0 * kSide);
    const auto bin = std::min(static_cast<std::size_t>(at), static_cast<std::size_t>(2 * kSide - 1));
    return sums_[bin] + (at - static_cast<double>(bin)) * (sums_[bin + 1] - sums_[bin]);
  }

 private:
  double width_, min_, max_;
  std::vector<double> sums_;
};

// Of the data, what is clipped counted to the outermost halves, from what the levels tell of it: each level's values
// spread evenly over its halves, those that are empty left out, so that data on a coarse grid of their own are matched.
double divergence(const Cumulative& data, const ChanceTable& chance, double min, double max, int steps) {
  const double half = (max - min) / (2 * steps);
  const double low = data.below(min), high = data.total() - data.below(max), inside = data.total() - low - high;
  if (inside <= 0) return std::numeric_limits<double>::infinity();
  const double scale = data.total() / inside;
  // What `seen` values and `clipped` ones in a half add, where the level tells `told` of them.
  const auto term = [scale](double seen, double clipped, double told) {
    constexpr double kLeast = 0.5;  // of a count: a half that only clipped values fill is thought rare, not impossible
    if (seen <= 0) told = 0;
    return x_log(seen + clipped, scale * (clipped > 0 ? std::max(told, kLeast) : told));
  };
  double sum = 0, edge = low;
  for (int level = 0; level < steps; ++level) {
    const bool last = level + 1 == steps;
    const double middle = data.below(min + (2 * level + 1) * half);
    const double end = last ? low + inside : data.below(min + (2 * level + 2) * half);
    const double a = middle - edge, b = end - middle, n = a + b;
    const bool both = a > 0 && b > 0;
    const double told = both ? n / 2 : n;
    sum += term(a, level == 0 ? low : 0, told) + term(b, last ? high : 0, told) - (both ? chance.at(n) : 0);
    edge = end;
  }
  return sum;
}

struct Grid {
  double min, max;
  int steps;
};

}  // namespace

Range entropy_range(const Histogram& h, bool symmetric, int steps) {
  Range best{std::min(h.min(), 0.0F), std::max(h.max(), 0.0F)};
  const double reach = std::max(-best.min, best.max);
  const Cumulative data(h);
  if (reach == 0 || data.total() <= 0) return {h.min(), h.max()};
  const Range full = best;
  const auto grid = [&](double t) {
    return symmetric ? Grid{-t, t, steps - 1}
                     : Grid{std::max<double>(full.min, -t), std::min<double>(full.max, t), steps};
  };
  const std::vector<Mass> list = masses(h);
  const ChanceTable chance;
  const Grid whole = grid(reach);
  const double allowed = squared_error(list, whole.min, whole.max, whole.steps);
  double least = std::numeric_limits<double>::infinity();
  constexpr int kCandidates = 128;
  for (int i = kCandidates; i > 0; --i) {
    const double t = reach * i / kCandidates;
    const auto [min, max, count] = grid(t);
    if (max - min < 2 * count * h.bin_width()) break;  // finer than the histogram can tell
    const double value = divergence(data, chance, min, max, count);
    if (value >= least || squared_error(list, min, max, count) > allowed) continue;
    least = value;
    best = {std::max(full.min, static_cast<float>(-t)), std::min(full.max, static_cast<float>(t))};
  }
  return best;
}

}  // namespace tinyml
