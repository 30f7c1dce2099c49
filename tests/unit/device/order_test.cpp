// The order of steps against all orders that are possible, on small random programs.
#include "lib/device/order.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <optional>
#include <random>
#include <set>

using namespace tinyml;

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Independent of the search: replays the order and adds up what is alive. nullopt when a step comes before one whose
// result it needs, or after one that it should have come before.
std::optional<std::int64_t> replayed(const OrderProblem& problem, const std::vector<int>& order) {
  std::vector<int> place(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) place[at(order[i])] = static_cast<int>(i);
  const auto uses = [&](std::size_t s, int b) {
    const OrderStep& step = problem.steps[s];
    return std::count(step.reads.begin(), step.reads.end(), b) + std::count(step.writes.begin(), step.writes.end(), b) >
           0;
  };
  const auto writes = [&](std::size_t s, int b) {
    return std::count(problem.steps[s].writes.begin(), problem.steps[s].writes.end(), b) > 0;
  };
  std::vector<std::int64_t> need(order.size(), 0);
  for (int b = 0; b < static_cast<int>(problem.sizes.size()); ++b) {
    int first = static_cast<int>(order.size()), last = -1;
    for (std::size_t s = 0; s < order.size(); ++s) {
      if (!uses(s, b)) continue;
      first = std::min(first, place[s]);
      last = std::max(last, place[s]);
      for (std::size_t later = s + 1; later < order.size(); ++later)
        if (uses(later, b) && (writes(s, b) || writes(later, b)) && place[later] < place[s]) return std::nullopt;
    }
    if (last < 0) continue;
    if (std::count(problem.inputs.begin(), problem.inputs.end(), b) > 0) first = 0;
    if (std::count(problem.outputs.begin(), problem.outputs.end(), b) > 0) last = static_cast<int>(order.size()) - 1;
    for (int i = first; i <= last; ++i) need[at(i)] += problem.sizes[at(b)];
    for (std::size_t s = 0; s < order.size(); ++s)
      for (const auto& [buffer, bytes] : problem.steps[s].shares)
        if (buffer == b && place[s] == last && std::count(problem.outputs.begin(), problem.outputs.end(), b) == 0)
          need[at(last)] -= bytes;
  }
  return *std::max_element(need.begin(), need.end());
}

// Step i writes buffer i + 1; buffer 0 is the input; what nobody reads is an output.
OrderProblem random_problem(std::mt19937& random, int steps) {
  OrderProblem problem;
  problem.sizes.push_back(10);
  problem.inputs = {0};
  std::set<int> unread;
  for (int s = 0; s < steps; ++s) {
    OrderStep& step = problem.steps.emplace_back();
    problem.sizes.push_back(1 + static_cast<std::int64_t>(random() % 100U));
    step.writes = {s + 1};
    for (unsigned i = 0; i <= random() % 2U; ++i) {
      const int from = static_cast<int>(random() % static_cast<unsigned>(s + 1));
      if (std::count(step.reads.begin(), step.reads.end(), from) != 0) continue;
      step.reads.push_back(from);
      unread.erase(from);
      if (random() % 3U == 0)
        step.shares.emplace_back(from, std::min(problem.sizes[at(from)], problem.sizes.back()) / 2);
    }
    unread.insert(s + 1);
  }
  problem.outputs.assign(unread.begin(), unread.end());
  return problem;
}

}  // namespace

TEST_CASE("the order of steps is the best of all", "[device]") {
  std::mt19937 random(5);
  int improved = 0;
  for (int round = 0; round < 150; ++round) {
    const int steps = 3 + static_cast<int>(random() % 5U);
    const OrderProblem problem = random_problem(random, steps);
    std::vector<int> order(at(steps)), given;
    std::iota(order.begin(), order.end(), 0);
    given = order;
    std::int64_t best = *replayed(problem, given);
    CHECK(order_peak(problem, given) == best);
    do {
      if (const auto peak = replayed(problem, order)) best = std::min(best, *peak);
    } while (std::next_permutation(order.begin(), order.end()));
    const std::vector<int> found = order_steps(problem);
    INFO("round " << round);
    REQUIRE(replayed(problem, found).has_value());
    CHECK(*replayed(problem, found) == best);
    if (best == *replayed(problem, given))
      CHECK(found == given);
    else
      ++improved;
  }
  CHECK(improved > 20);
}

TEST_CASE("two wide branches are finished one after the other", "[device]") {
  OrderProblem problem;
  problem.sizes = {10, 100, 100, 5, 5, 5};
  problem.inputs = {0};
  problem.outputs = {5};
  problem.steps = {{{0}, {1}, {}}, {{0}, {2}, {}}, {{1}, {3}, {}}, {{2}, {4}, {}}, {{3, 4}, {5}, {}}};
  CHECK(order_peak(problem, {0, 1, 2, 3, 4}) == 210);
  CHECK(order_steps(problem) == std::vector<int>{0, 2, 1, 3, 4});
}

TEST_CASE("a long program with many branches is ordered in bounded time", "[device]") {
  std::mt19937 random(6);
  const OrderProblem problem = random_problem(random, 300);
  const std::vector<int> order = order_steps(problem);
  CHECK(replayed(problem, order).has_value());
}
