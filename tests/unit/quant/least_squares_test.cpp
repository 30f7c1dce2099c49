// The rounder against what it claims, computed the slow way: errors sample by sample, and the best of all roundings by
// trying each.
#include "lib/quant/least_squares.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace tinyml;

namespace {

// Samples of correlated inputs and one output that a linear function of them almost is.
struct Data {
  std::size_t inputs;
  std::vector<std::vector<double>> x;
  std::vector<double> y, weights;

  Data(std::size_t n, unsigned seed, std::size_t samples = 200) : inputs(n) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    for (std::size_t i = 0; i < n; ++i) weights.push_back(normal(random));
    for (std::size_t s = 0; s < samples; ++s) {
      const double common = 1.5 * normal(random);
      std::vector<double> row(n);
      double out = 0.05 * normal(random);
      for (std::size_t i = 0; i < n; ++i) {
        row[i] = common + normal(random);
        out += weights[i] * row[i];
      }
      x.push_back(std::move(row));
      y.push_back(out);
    }
  }

  LeastSquares problem() const {
    LeastSquares p{inputs, 1, std::vector<double>(inputs * inputs), std::vector<double>(inputs), {0}};
    const auto n = static_cast<double>(x.size());
    for (std::size_t s = 0; s < x.size(); ++s) {
      p.powers[0] += y[s] * y[s] / n;
      for (std::size_t i = 0; i < inputs; ++i) {
        p.targets[i] += y[s] * x[s][i] / n;
        for (std::size_t j = 0; j < inputs; ++j) p.moments[i * inputs + j] += x[s][i] * x[s][j] / n;
      }
    }
    return p;
  }

  double error(const std::vector<int>& q, double scale) const {
    double sum = 0;
    for (std::size_t s = 0; s < x.size(); ++s) {
      double out = 0;
      for (std::size_t i = 0; i < inputs; ++i) out += scale * q[i] * x[s][i];
      sum += (out - y[s]) * (out - y[s]);
    }
    return sum / static_cast<double>(x.size());
  }

  double least_of_all(double scale, const Levels& levels) const {
    const auto choices = static_cast<std::size_t>(levels.max() - levels.min() + 1);
    std::vector<int> q(inputs, levels.min());
    double best = error(q, scale);
    for (std::size_t code = 1, all = static_cast<std::size_t>(std::pow(choices, inputs)); code < all; ++code) {
      for (std::size_t i = 0, rest = code; i < inputs; ++i, rest /= choices)
        q[i] = levels.min() + static_cast<int>(rest % choices);
      best = std::min(best, error(q, scale));
    }
    return best;
  }
};

double widest(const Data& data, int max) {
  double reach = 0;
  for (const double w : data.weights) reach = std::max(reach, std::fabs(w));
  return reach / max;
}

}  // namespace

TEST_CASE("least squares: errors and the real optimum are those of the samples", "[quant]") {
  const Data data(5, 1);
  const ChannelRounder rounder(data.problem());
  const std::vector<int> q{3, -2, 0, 7, -8};
  CHECK(rounder.error(0, q, 0.25) == Approx(data.error(q, 0.25)).epsilon(1e-9));
  const RoundedChannel rounded = rounder.round(0, 0.3, Levels(-8, 7));
  CHECK(rounded.error == Approx(data.error(rounded.integers, 0.3)).epsilon(1e-9));
  const std::vector<double> optimum = rounder.optimum(0);
  for (std::size_t i = 0; i < 5; ++i) CHECK(optimum[i] == Approx(data.weights[i]).margin(0.05));
}

TEST_CASE("least squares: close to the best of all roundings, never behind rounding to nearest", "[quant]") {
  const Levels levels(-3, 2);
  int exact = 0;
  constexpr int kProblems = 30;
  double ratio = 0;
  for (unsigned seed = 1; seed <= kProblems; ++seed) {
    const Data data(5, seed, 60);
    const double scale = widest(data, 3);
    const ChannelRounder rounder(data.problem());
    const double found = data.error(rounder.round(0, scale, levels).integers, scale);
    std::vector<int> nearest;
    for (const double w : rounder.optimum(0)) nearest.push_back(levels.nearest(w / scale));
    const double best = data.least_of_all(scale, levels);
    INFO("seed " << seed);
    CHECK(found >= best * (1 - 1e-9));
    CHECK(found <= data.error(nearest, scale) * (1 + 1e-9));
    exact += found <= best * (1 + 1e-9) ? 1 : 0;
    ratio += found / best / kProblems;
  }
  CHECK(exact >= kProblems * 2 / 3);  // 5 correlated weights leave few other local minima
  CHECK(ratio < 1.1);
}

TEST_CASE("least squares: a searched scale is no worse than the one that clips nothing", "[quant]") {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    const Data data(12, seed);
    const ChannelRounder rounder(data.problem());
    const double scale = widest(data, 7);
    const RoundedChannel best = rounder.round_and_scale(0, scale, Levels(-8, 7));
    CHECK(best.error <= rounder.round(0, scale, Levels(-8, 7)).error);
    CHECK(best.error == Approx(data.error(best.integers, best.scale)).epsilon(1e-6));
  }
}

TEST_CASE("least squares: inputs that carry nothing keep their real weights", "[quant]") {
  LeastSquares problem{2, 1, {4, 0, 0, 0}, {4, 0}, {4}};  // the second input is always 0
  problem.damp({1, -0.5}, 0.01);
  const RoundedChannel rounded = ChannelRounder(problem).round(0, 0.25, Levels(-8, 7));
  CHECK(rounded.integers == std::vector<int>{4, -2});
}

TEST_CASE("levels: a codebook's nearest entry", "[quant]") {
  const Levels levels(std::vector<int>{-100, -3, 0, 8, 90});
  for (int x = -130; x <= 130; ++x) {
    int best = -100;
    for (const int entry : {-100, -3, 0, 8, 90})
      if (std::abs(entry - x) < std::abs(best - x)) best = entry;
    CHECK(levels.nearest(x) == best);
  }
  CHECK(Levels(-8, 7).nearest(9.2) == 7);
}
