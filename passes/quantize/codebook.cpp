// The fit is linear least squares in the entries: the layer's output is linear in them once each weight has chosen one.
#include "passes/quantize/codebook.h"

#include <algorithm>
#include <cmath>

#include "lib/quant/codebook.h"
#include "lib/quant/stored_bytes.h"

namespace tinyml {
namespace {

std::size_t level_of(double x) {
  constexpr double kMost = kLargestEntry;
  return static_cast<std::size_t>(std::clamp(std::nearbyint(x), -kMost, kMost) + kMost);
}

std::size_t position(const std::vector<int>& table, int entry) {
  return static_cast<std::size_t>(std::lower_bound(table.begin(), table.end(), entry) - table.begin());
}

// Gauss-Seidel suffices: the matrix is positive definite and small, and the result is rounded to integers.
std::vector<double> solve(const std::vector<double>& a, const std::vector<double>& b, std::vector<double> x) {
  constexpr int kSweeps = 200;
  const std::size_t n = b.size();
  for (int sweep = 0; sweep < kSweeps; ++sweep)
    for (std::size_t i = 0; i < n; ++i) {
      if (a[i * n + i] <= 0) continue;
      double rest = b[i];
      for (std::size_t j = 0; j < n; ++j) rest -= j == i ? 0 : a[i * n + j] * x[j];
      x[i] = rest / a[i * n + i];
    }
  return x;
}

}  // namespace

Tensor nearest_codebook_weights(const Tensor& weights, const QuantParams& params) {
  Tensor integers = quantize_tensor(weights, params);
  std::vector<double> importance(kLevels, 0.0);
  for (const std::int8_t q : integers.data<std::int8_t>()) importance[level_of(q)] += 1;
  const Levels levels(best_codebook(importance, kCodebookEntries));
  for (std::int8_t& q : integers.data<std::int8_t>()) q = static_cast<std::int8_t>(levels.nearest(q));
  return integers;
}

std::vector<int> first_codebook(const CodebookLayer& layer) {
  std::vector<double> importance(kLevels, 0.0);
  const std::size_t n = layer.rows.inputs, per_group = layer.rows.outputs / layer.rows.groups;
  for (std::size_t c = 0; c < layer.rows.outputs; ++c) {
    const auto scale = static_cast<double>(layer.params.scales[layer.params.per_channel() ? c : 0]);
    const auto& moments = layer.rounders[c / per_group].problem().moments;
    for (std::size_t i = 0; i < n; ++i)
      importance[level_of(layer.weights[c * n + i] / scale)] += scale * scale * moments[i * n + i];
  }
  return best_codebook(importance, kCodebookEntries);
}

std::vector<int> fitted_codebook(const CodebookLayer& layer, const std::vector<RoundedChannel>& channels,
                                 const std::vector<int>& table) {
  const std::size_t n = layer.rows.inputs, per_group = layer.rows.outputs / layer.rows.groups, size = table.size();
  std::vector<double> a(size * size, 0.0), b(size, 0.0);
  std::vector<std::size_t> chosen(n);
  for (std::size_t c = 0; c < layer.rows.outputs; ++c) {
    const LeastSquares& problem = layer.rounders[c / per_group].problem();
    const double s = channels[c].scale;
    for (std::size_t i = 0; i < n; ++i) chosen[i] = position(table, channels[c].integers[i]);
    for (std::size_t i = 0; i < n; ++i) {
      b[chosen[i]] += s * problem.targets[c % per_group * n + i];
      double* row = &a[chosen[i] * size];
      for (std::size_t j = 0; j < n; ++j) row[chosen[j]] += s * s * problem.moments[i * n + j];
    }
  }
  std::vector<int> fitted;
  for (const double entry : solve(a, b, std::vector<double>(table.begin(), table.end())))
    fitted.push_back(static_cast<int>(std::clamp(std::nearbyint(entry), -127.0, 127.0)));
  std::sort(fitted.begin(), fitted.end());
  fitted.erase(std::unique(fitted.begin(), fitted.end()), fitted.end());
  return fitted;
}

}  // namespace tinyml
