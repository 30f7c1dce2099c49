// Searches on the histogram; costs are in the number of bins, not of samples.
#include "lib/quant/range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tinyml {
namespace {

constexpr int kSide = Histogram::kSide;

double count_at(const Histogram& h, int bin) {
  return static_cast<double>(h.counts()[static_cast<std::size_t>(kSide + bin)]);
}

Range data_range(const Histogram& h) { return {h.min(), h.max()}; }

// Edge of the bin in which the cumulative count from the top (or bottom) first exceeds `tail`, never outside the data.
float upper_edge(const Histogram& h, double tail) {
  double seen = 0;
  for (int bin = kSide - 1; bin >= -kSide; --bin) {
    seen += count_at(h, bin);
    if (seen > tail) return std::min(h.max(), static_cast<float>((bin + 1) * h.bin_width()));
  }
  return h.max();
}

float lower_edge(const Histogram& h, double tail) {
  double seen = 0;
  for (int bin = -kSide; bin < kSide; ++bin) {
    seen += count_at(h, bin);
    if (seen > tail) return std::max(h.min(), static_cast<float>(bin * h.bin_width()));
  }
  return h.min();
}

}  // namespace

Range percentile_range(const Histogram& h, double fraction) {
  if (h.total() == 0) return {};
  const double tail = (1.0 - fraction) * static_cast<double>(h.total());
  if (tail < 1.0) return data_range(h);  // the fraction asks for no whole sample to be cut
  return {lower_edge(h, tail), upper_edge(h, tail)};
}

namespace {

// Counts by magnitude: bin i holds |x| in [i, i + 1) * width.
std::vector<double> magnitudes(const Histogram& h) {
  std::vector<double> counts(kSide, 0.0);
  for (int i = 0; i < kSide; ++i) counts[static_cast<std::size_t>(i)] = count_at(h, i) + count_at(h, -1 - i);
  return counts;
}

// KL divergence between the first `used` bins with the tail added to the last, and the same bins merged to `levels`
// values and spread back evenly over their non-empty bins.
double divergence(const std::vector<double>& counts, const std::vector<double>& prefix, int used, int levels) {
  const double total = prefix.back();
  const double inside = prefix[static_cast<std::size_t>(used)];
  double result = 0;
  for (int level = 0; level < levels; ++level) {
    const int begin = static_cast<int>(static_cast<std::int64_t>(used) * level / levels);
    const int end = static_cast<int>(static_cast<std::int64_t>(used) * (level + 1) / levels);
    double mass = 0;
    int filled = 0;
    for (int i = begin; i < end; ++i) {
      mass += counts[static_cast<std::size_t>(i)];
      filled += counts[static_cast<std::size_t>(i)] > 0 ? 1 : 0;
    }
    for (int i = begin; i < end; ++i) {
      double p = counts[static_cast<std::size_t>(i)];
      const double q = p > 0 ? mass / filled / inside : 0;
      if (i == used - 1) p += total - inside;
      p /= total;
      // A bin that only the clipped tail fills has q = 0; it counts as a tiny probability instead of infinity.
      constexpr double kTiny = 1e-9;
      if (p > 0) result += p * std::log(p / std::max(q, kTiny));
    }
  }
  return result;
}

}  // namespace

Range entropy_range(const Histogram& h, int levels) {
  const Range data = data_range(h);
  const float reach = std::max(std::fabs(data.min), std::fabs(data.max));
  if (h.total() == 0 || reach == 0) return data;
  std::vector<double> counts = magnitudes(h);
  // Exact zeros (padding, clipped activations) lie on every grid and would dominate the divergence.
  counts[0] -= static_cast<double>(h.zeros());
  std::vector<double> prefix(counts.size() + 1, 0.0);
  for (std::size_t i = 0; i < counts.size(); ++i) prefix[i + 1] = prefix[i] + counts[i];
  if (prefix.back() <= 0) return data;
  const int last = std::min(kSide, static_cast<int>(std::floor(reach / h.bin_width())) + 1);
  constexpr int kStep =
      8;  // candidate thresholds: 1/512 of the side apart, far finer than the divergence's own flatness
  double best = std::numeric_limits<double>::infinity();
  int best_used = last;
  for (int used = std::min(last, 2 * levels); used <= last;
       used = used == last ? last + 1 : std::min(last, used + kStep)) {
    if (prefix[static_cast<std::size_t>(used)] <= 0) continue;
    const double value = divergence(counts, prefix, used, levels);
    if (value < best) {
      best = value;
      best_used = used;
    }
  }
  const auto threshold = static_cast<float>(best_used * h.bin_width());
  return {std::max(data.min, -threshold), std::min(data.max, threshold)};
}

namespace {

// Occupied bins as (center, count), so that the search does not visit empty ones.
struct Mass {
  double x, count;
};

std::vector<Mass> masses(const Histogram& h) {
  std::vector<Mass> list;
  for (int bin = -kSide; bin < kSide; ++bin) {
    const double count = count_at(h, bin) - (bin == 0 ? static_cast<double>(h.zeros()) : 0.0);
    if (count > 0) list.push_back({(bin + 0.5) * h.bin_width(), count});
  }
  return list;
}

// Squared error of rounding to the grid: s^2 / 12 for values inside, the squared distance for those clipped.
double squared_error(const std::vector<Mass>& list, double min, double max, int steps) {
  const double s = (max - min) / steps, rounding = s * s / 12;
  double sum = 0;
  for (const Mass& m : list) {
    const double beyond = m.x < min ? min - m.x : m.x > max ? m.x - max : 0;
    sum += m.count * (beyond > 0 ? beyond * beyond : rounding);
  }
  return sum;
}

}  // namespace

Range mse_range(const Histogram& h, bool symmetric, int steps) {
  Range best = data_range(h);
  if (h.total() == 0 || (best.min == 0 && best.max == 0)) return best;
  best.min = std::min(best.min, 0.0F);
  best.max = std::max(best.max, 0.0F);
  const std::vector<Mass> list = masses(h);
  constexpr int kCandidates = 128, kRounds = 3;
  const Range full = best;
  if (symmetric) {
    const float reach = std::max(-full.min, full.max);
    double least = std::numeric_limits<double>::infinity();
    for (int i = kCandidates; i >= 8; --i) {
      const float t = reach * static_cast<float>(i) / kCandidates;
      const double error = squared_error(list, -t, t, steps - 1);
      if (error < least) {
        least = error;
        best = {std::max(full.min, -t), std::min(full.max, t)};
      }
    }
    return best;
  }
  double least = squared_error(list, best.min, best.max, steps);
  for (int round = 0; round < kRounds; ++round) {
    for (int i = kCandidates; i >= 8; --i) {
      const float max = full.max * static_cast<float>(i) / kCandidates;
      const double error = squared_error(list, best.min, max, steps);
      if (error < least) {
        least = error;
        best.max = max;
      }
    }
    for (int i = kCandidates; i >= 8; --i) {
      const float min = full.min * static_cast<float>(i) / kCandidates;
      const double error = squared_error(list, min, best.max, steps);
      if (error < least) {
        least = error;
        best.min = min;
      }
    }
  }
  return best;
}

}  // namespace tinyml
