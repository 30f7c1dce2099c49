// Everything is in double: moments of deep layers have condition numbers that float does not carry. Channels are
// independent of one another, so whoever calls may take them in parallel and gets the same integers.
#include "lib/quant/least_squares.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tinyml {
namespace {

// Right-looking, so that the inner loop runs along rows of the lower half's transpose. Pivots are kept off 0.
std::vector<double> cholesky(std::vector<double> a, std::size_t n) {
  std::vector<double> l(n * n, 0.0);
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, a[i * n + i]);
  const double least = std::max(largest, 1e-300) * 1e-12;
  for (std::size_t k = 0; k < n; ++k) {
    const double pivot = std::sqrt(std::max(a[k * n + k], least));
    const double* row = &a[k * n];  // symmetric: row k is column k
    for (std::size_t i = k; i < n; ++i) l[i * n + k] = i == k ? pivot : row[i] / pivot;
    for (std::size_t i = k + 1; i < n; ++i) {
      const double f = l[i * n + k] / pivot;
      double* to = &a[i * n];
      for (std::size_t j = i; j < n; ++j) to[j] -= f * row[j];
    }
  }
  return l;
}

}  // namespace

void LeastSquares::damp(const std::vector<double>& weights, double share) {
  double trace = 0;
  for (std::size_t i = 0; i < inputs; ++i) trace += moments[i * inputs + i];
  const double pull = trace > 0 ? share * trace / static_cast<double>(inputs) : 1.0;
  for (std::size_t i = 0; i < inputs; ++i) moments[i * inputs + i] += pull;
  for (std::size_t c = 0; c < outputs; ++c)
    for (std::size_t i = 0; i < inputs; ++i) {
      const double w = weights[c * inputs + i];
      targets[c * inputs + i] += pull * w;
      powers[c] += pull * w * w;
    }
}

Levels::Levels(std::vector<int> sorted) : min_(sorted.front()), max_(sorted.back()), table_(std::move(sorted)) {}

int Levels::nearest(double x) const {
  if (table_.empty())
    return static_cast<int>(std::clamp(std::nearbyint(x), static_cast<double>(min_), static_cast<double>(max_)));
  const auto above = std::lower_bound(table_.begin(), table_.end(), x);
  if (above == table_.begin()) return table_.front();
  if (above == table_.end()) return table_.back();
  return x - *(above - 1) <= *above - x ? *(above - 1) : *above;
}

ChannelRounder::ChannelRounder(LeastSquares problem) : problem_(std::move(problem)), order_(problem_.inputs) {
  const std::size_t n = problem_.inputs;
  const auto& m = problem_.moments;
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::size_t a, std::size_t b) { return m[a * n + a] < m[b * n + b]; });
  std::vector<double> sorted(n * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) sorted[i * n + j] = m[order_[i] * n + order_[j]];
  factor_ = cholesky(std::move(sorted), n);
}

std::vector<double> ChannelRounder::optimum(std::size_t output) const {
  const std::size_t n = problem_.inputs;
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    double sum = problem_.targets[output * n + order_[i]];
    for (std::size_t j = 0; j < i; ++j) sum -= factor_[i * n + j] * x[j];
    x[i] = sum / factor_[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    x[i] /= factor_[i * n + i];
    for (std::size_t j = 0; j < i; ++j) x[j] -= factor_[i * n + j] * x[i];
  }
  std::vector<double> real(n);
  for (std::size_t i = 0; i < n; ++i) real[order_[i]] = x[i];
  return real;
}

// |L'(z - real)|^2: from the last coordinate on, each takes the level nearest to what makes its row 0 given the later.
std::vector<int> ChannelRounder::nearest_plane(const std::vector<double>& real, double scale,
                                               const Levels& levels) const {
  const std::size_t n = problem_.inputs;
  std::vector<double> carried(n, 0.0);
  std::vector<int> q(n);
  for (std::size_t i = n; i-- > 0;) {
    const double u = real[order_[i]];
    const int level = levels.nearest((u - carried[i] / factor_[i * n + i]) / scale);
    q[order_[i]] = level;
    const double off = scale * level - u;
    for (std::size_t j = 0; j < i; ++j) carried[j] += factor_[i * n + j] * off;
  }
  return q;
}

std::vector<double> ChannelRounder::gradient(std::size_t output, const std::vector<int>& q, double scale) const {
  const std::size_t n = problem_.inputs;
  std::vector<double> g(n);
  for (std::size_t i = 0; i < n; ++i) g[i] = -problem_.targets[output * n + i];
  for (std::size_t j = 0; j < n; ++j) {
    if (q[j] == 0) continue;
    const double z = scale * q[j];
    for (std::size_t i = 0; i < n; ++i) g[i] += problem_.moments[j * n + i] * z;
  }
  return g;
}

double ChannelRounder::error(std::size_t output, const std::vector<int>& q, double scale) const {
  const std::size_t n = problem_.inputs;
  const std::vector<double> g = gradient(output, q, scale);
  double sum = problem_.powers[output];
  for (std::size_t i = 0; i < n; ++i) sum += scale * q[i] * (g[i] - problem_.targets[output * n + i]);
  return sum;
}

void ChannelRounder::descend(std::size_t output, RoundedChannel& channel, const Levels& levels) const {
  constexpr int kMostSweeps = 64;  // a few suffice; the bound is for safety alone
  const std::size_t n = problem_.inputs;
  const double s = channel.scale;
  auto& q = channel.integers;
  std::vector<double> g = gradient(output, q, s);
  bool changed = true;
  for (int sweep = 0; changed && sweep < kMostSweeps; ++sweep) {
    changed = false;
    for (std::size_t i = 0; i < n; ++i) {
      const double* row = &problem_.moments[i * n];
      const int better = levels.nearest(q[i] - g[i] / (row[i] * s));
      const double step = s * (better - q[i]);
      if (better == q[i] || step * (step * row[i] + 2 * g[i]) >= -1e-12 * problem_.powers[output]) continue;
      for (std::size_t j = 0; j < n; ++j) g[j] += row[j] * step;
      q[i] = better;
      changed = true;
    }
  }
  channel.error = problem_.powers[output];
  for (std::size_t i = 0; i < n; ++i) channel.error += s * q[i] * (g[i] - problem_.targets[output * n + i]);
}

RoundedChannel ChannelRounder::round(std::size_t output, double scale, const Levels& levels) const {
  const std::vector<double> real = optimum(output);
  RoundedChannel plane{nearest_plane(real, scale, levels), scale, 0}, nearest{std::vector<int>(real.size()), scale, 0};
  for (std::size_t i = 0; i < real.size(); ++i) nearest.integers[i] = levels.nearest(real[i] / scale);
  descend(output, plane, levels);
  descend(output, nearest, levels);
  return plane.error <= nearest.error ? plane : nearest;
}

// Of least error with the integers as they are.
double ChannelRounder::fitted_scale(std::size_t output, const RoundedChannel& channel) const {
  const std::size_t n = problem_.inputs;
  const std::vector<double> g = gradient(output, channel.integers, 1.0);
  double square = 0, product = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double t = problem_.targets[output * n + i];
    product += channel.integers[i] * t;
    square += channel.integers[i] * (g[i] + t);
  }
  return square > 0 && product > 0 ? product / square : channel.scale;
}

RoundedChannel ChannelRounder::round_and_scale(std::size_t output, double scale, const Levels& levels) const {
  constexpr int kCandidates = 20;
  constexpr double kLeast = 0.4;  // of the scale that clips nothing
  const std::vector<double> real = optimum(output);
  RoundedChannel best;
  for (int i = 0; i < kCandidates; ++i) {
    const double candidate = scale * (1.0 - (1.0 - kLeast) * i / kCandidates);
    RoundedChannel channel{nearest_plane(real, candidate, levels), candidate, 0};
    descend(output, channel, levels);
    if (best.integers.empty() || channel.error < best.error) best = std::move(channel);
  }
  for (const double candidate : {scale, best.scale})
    if (RoundedChannel channel = round(output, candidate, levels); channel.error < best.error)
      best = std::move(channel);
  refine(output, best, levels);
  return best;
}

void ChannelRounder::refine(std::size_t output, RoundedChannel& channel, const Levels& levels, double least) const {
  constexpr int kMostTurns = 4;
  for (int i = 0; i < kMostTurns; ++i) {
    RoundedChannel refined = channel;
    refined.scale = std::max(least, fitted_scale(output, refined));
    descend(output, refined, levels);
    if (!(refined.error < channel.error)) break;
    channel = std::move(refined);
  }
}

}  // namespace tinyml
