// Searches on the histogram; costs are in the number of bins, not of samples.
#include "lib/quant/range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "lib/quant/squared_error.h"

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
