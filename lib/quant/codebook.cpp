// In one dimension clusters are intervals: best[k][j] is the least cost of levels below j with k clusters. An entry is
// an integer, so a cluster's entry is one of the two around its mean; the cost of an interval takes the better.
#include "lib/quant/codebook.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tinyml {
namespace {

struct Sums {
  std::vector<double> count, first, second;  // of levels below i: importance times 1, x, x*x
  explicit Sums(const std::vector<double>& importance)
      : count(kLevels + 1, 0.0), first(kLevels + 1, 0.0), second(kLevels + 1, 0.0) {
    for (std::size_t i = 0; i < kLevels; ++i) {
      const double x = static_cast<double>(i) - kLargestEntry;
      count[i + 1] = count[i] + importance[i];
      first[i + 1] = first[i] + importance[i] * x;
      second[i + 1] = second[i] + importance[i] * x * x;
    }
  }
  int entry(std::size_t from, std::size_t to) const {
    const double n = count[to] - count[from];
    if (n <= 0) return static_cast<int>(from) - kLargestEntry;
    return static_cast<int>(std::nearbyint((first[to] - first[from]) / n));
  }
  double cost(std::size_t from, std::size_t to) const {
    const double n = count[to] - count[from];
    if (n <= 0) return 0;
    const double e = entry(from, to);
    return std::max(0.0, second[to] - second[from] - 2 * e * (first[to] - first[from]) + e * e * n);
  }
};

}  // namespace

std::vector<int> best_codebook(const std::vector<double>& importance, std::size_t entries) {
  const Sums sums(importance);
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::vector<std::vector<double>> best(entries + 1, std::vector<double>(kLevels + 1, kNever));
  std::vector<std::vector<std::size_t>> start(entries + 1, std::vector<std::size_t>(kLevels + 1, 0));
  best[0][0] = 0;
  for (std::size_t k = 1; k <= entries; ++k)
    for (std::size_t to = 1; to <= kLevels; ++to)
      for (std::size_t from = 0; from < to; ++from)
        if (const double cost = best[k - 1][from] + sums.cost(from, to); cost < best[k][to]) {
          best[k][to] = cost;
          start[k][to] = from;
        }
  std::vector<int> table;
  for (std::size_t k = entries, to = kLevels; k > 0; to = start[k--][to])
    if (sums.count[to] > sums.count[start[k][to]]) table.push_back(sums.entry(start[k][to], to));
  if (table.empty()) table.push_back(0);
  std::sort(table.begin(), table.end());
  table.erase(std::unique(table.begin(), table.end()), table.end());
  return table;
}

}  // namespace tinyml
