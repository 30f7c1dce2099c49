// The codebook against all tables that there are.
#include "lib/quant/codebook.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

using namespace tinyml;

namespace {

double cost(const std::vector<double>& importance, const std::vector<int>& table) {
  double sum = 0;
  for (std::size_t i = 0; i < kLevels; ++i) {
    double least = 1e300;
    for (const int entry : table) {
      const double off = static_cast<double>(i) - kLargestEntry - entry;
      least = std::min(least, off * off);
    }
    sum += importance[i] * least;
  }
  return sum;
}

}  // namespace

TEST_CASE("codebook: no other three integers are better", "[quant]") {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> importance(kLevels, 0.0);
    for (int i = 0; i < 9; ++i) importance[127 - 12 + random() % 25] = uniform(random);
    double best = 1e300;
    for (int a = -12; a <= 12; ++a)
      for (int b = a; b <= 12; ++b)
        for (int c = b; c <= 12; ++c) best = std::min(best, cost(importance, {a, b, c}));
    const std::vector<int> table = best_codebook(importance, 3);
    CHECK(table.size() <= 3);
    CHECK(std::is_sorted(table.begin(), table.end()));
    CHECK(cost(importance, table) == Approx(best).margin(1e-9));
  }
}

TEST_CASE("codebook: as many entries as there are levels lose nothing", "[quant]") {
  std::vector<double> importance(kLevels, 0.0);
  for (const int level : {-127, -5, 0, 127}) importance[static_cast<std::size_t>(level + 127)] = 1;
  CHECK(best_codebook(importance, 16) == std::vector<int>{-127, -5, 0, 127});
  CHECK(best_codebook(std::vector<double>(kLevels, 0.0), 16) == std::vector<int>{0});
}
