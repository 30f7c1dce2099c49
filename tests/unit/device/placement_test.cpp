// The placement search against exhaustive enumeration on small problems, and its promises on larger ones.
#include "lib/device/placement.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <numeric>
#include <random>

using namespace tinyml;

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool holds(const PlacementPair& pair, const std::vector<std::int64_t>& offsets) {
  const std::int64_t a = offsets[at(pair.a)], b = offsets[at(pair.b)];
  return a + pair.a_below <= b || b + pair.b_below <= a || (pair.shift && a + *pair.shift == b);
}

bool is_placement(const PlacementProblem& problem, const std::vector<std::int64_t>& offsets) {
  return std::all_of(problem.pairs.begin(), problem.pairs.end(),
                     [&](const auto& pair) { return holds(pair, offsets); });
}

// Tries every combination of offsets.
std::int64_t shortest(const PlacementProblem& problem) {
  std::int64_t best = 1;  // one more than side by side needs
  for (const std::int64_t size : problem.sizes)
    best += (size + problem.alignment - 1) / problem.alignment * problem.alignment;
  std::vector<std::int64_t> offsets;
  const auto extend = [&](const auto& self, std::int64_t end) -> void {
    if (end >= best) return;
    const std::size_t item = offsets.size();
    if (item == problem.sizes.size()) {
      best = end;
      return;
    }
    for (std::int64_t offset = 0; offset + problem.sizes[item] < best; offset += problem.alignment) {
      offsets.push_back(offset);
      const bool fits = std::all_of(problem.pairs.begin(), problem.pairs.end(), [&](const PlacementPair& pair) {
        return at(std::max(pair.a, pair.b)) > item || holds(pair, offsets);
      });
      if (fits) self(self, std::max(end, offset + problem.sizes[item]));
      offsets.pop_back();
    }
  };
  extend(extend, 0);
  return best;
}

PlacementProblem random_problem(std::mt19937& random, int items, unsigned largest) {
  PlacementProblem problem;
  for (int i = 0; i < items; ++i) problem.sizes.push_back(1 + static_cast<std::int64_t>(random() % largest));
  for (int b = 0; b < items; ++b)
    for (int a = 0; a < b; ++a) {
      if (random() % 3U == 0) continue;
      PlacementPair pair{a, b, problem.sizes[at(a)], problem.sizes[at(b)], std::nullopt};
      if (random() % 8U == 0) pair.shift = random() % 2U == 0 ? 0 : static_cast<std::int64_t>(random() % 9U) - 4;
      if (random() % 3U == 0) pair.b_below = static_cast<std::int64_t>(random() % largest) - 3;
      pair.b_below = std::min(pair.b_below, problem.sizes[at(b)]);
      problem.pairs.push_back(pair);
    }
  return problem;
}

std::vector<std::vector<int>> one_order(int items) {
  std::vector<int> order(at(items));
  std::iota(order.begin(), order.end(), 0);
  return {order};
}

}  // namespace

TEST_CASE("small problems are placed as well as by trying everything", "[device]") {
  std::mt19937 random(11);
  for (int round = 0; round < 400; ++round) {
    const int items = 2 + static_cast<int>(random() % 4U);
    PlacementProblem problem = random_problem(random, items, 7);
    const Placement placement = place_items(problem, one_order(items), 0);
    INFO("round " << round);
    REQUIRE(is_placement(problem, placement.offsets));
    CHECK(placement.bytes == shortest(problem));
    CHECK(placement.lower_bound == placement.bytes);
  }
}

TEST_CASE("offsets keep the alignment", "[device]") {
  std::mt19937 random(12);
  for (int round = 0; round < 200; ++round) {
    const int items = 2 + static_cast<int>(random() % 9U);
    PlacementProblem problem = random_problem(random, items, 100);
    problem.alignment = 16;
    for (PlacementPair& pair : problem.pairs)
      if (pair.shift) *pair.shift *= 16;
    const Placement placement = place_items(problem, one_order(items), 0);
    INFO("round " << round);
    REQUIRE(is_placement(problem, placement.offsets));
    for (const std::int64_t offset : placement.offsets) CHECK(offset % 16 == 0);
    CHECK(placement.lower_bound <= placement.bytes);
    if (items <= 3) CHECK(placement.bytes == shortest(problem));
  }
}

TEST_CASE("large problems are placed in bounded time, always alike", "[device]") {
  std::mt19937 random(13);
  PlacementProblem problem = random_problem(random, 400, 5000);
  const auto start = std::chrono::steady_clock::now();
  const Placement first = place_items(problem, one_order(400), 0);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));  // a loaded machine; 0.2 s alone
  CHECK(is_placement(problem, first.offsets));
  CHECK(place_items(problem, one_order(400), 0).offsets == first.offsets);
}
