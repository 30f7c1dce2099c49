// Dynamic programming over the sets of steps already done, level by level: what a set needs from here on does not
// depend on the order in which it was done, so of two ways to the same set the one with the smaller peak wins (as in
// Ahn et al., Ordering Chaos: Memory-Aware Scheduling of Irregularly Wired Neural Networks, MLSys 2020). A level that
// grows too wide keeps its most promising sets.
#include "lib/device/order.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace tinyml {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool contains(const std::vector<int>& list, int value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// What the search asks of a problem: who waits for whom, and what a step costs.
class Costs {
 public:
  explicit Costs(const OrderProblem& problem) : problem_(problem), waits_for_(problem.steps.size()) {
    users_.resize(problem.sizes.size());
    for (int s = 0; s < count(); ++s) {
      for (const int buffer : problem.steps[at(s)].reads) users_[at(buffer)].push_back(s);
      for (const int buffer : problem.steps[at(s)].writes) users_[at(buffer)].push_back(s);
    }
    for (std::vector<int>& users : users_) users.erase(std::unique(users.begin(), users.end()), users.end());
    for (std::size_t b = 0; b < users_.size(); ++b) find_waits(static_cast<int>(b));
  }

  int count() const { return static_cast<int>(problem_.steps.size()); }

  bool ready(int step, const std::vector<bool>& done) const {
    return !done[at(step)] &&
           std::all_of(waits_for_[at(step)].begin(), waits_for_[at(step)].end(), [&](int s) { return done[at(s)]; });
  }

  struct Change {
    std::int64_t during = 0;  // bytes alive while the step runs
    std::int64_t after = 0;
  };
  // `alive`: bytes that live before the step, given what is done.
  Change change(int step, const std::vector<bool>& done, std::int64_t alive) const {
    Change change{alive, alive};
    const OrderStep& s = problem_.steps[at(step)];
    for_each_buffer(s, [&](int buffer) {
      const bool is_new = !contains(problem_.inputs, buffer) && first_use(buffer, step, done);
      const bool dies = !contains(problem_.outputs, buffer) && last_use(buffer, step, done);
      const std::int64_t size = problem_.sizes[at(buffer)];
      if (is_new) change.during += size, change.after += size;
      if (dies) change.after -= size;
    });
    for (const auto& [buffer, bytes] : s.shares)
      if (!contains(problem_.outputs, buffer) && last_use(buffer, step, done)) change.during -= bytes;
    return change;
  }

  std::int64_t at_start() const {
    std::int64_t bytes = 0;
    for (const int buffer : problem_.inputs)
      if (!users_[at(buffer)].empty() || contains(problem_.outputs, buffer)) bytes += problem_.sizes[at(buffer)];
    return bytes;
  }

 private:
  template <typename Visit>
  static void for_each_buffer(const OrderStep& step, const Visit& visit) {
    for (const int buffer : step.writes) visit(buffer);
    for (const int buffer : step.reads)
      if (!contains(step.writes, buffer)) visit(buffer);
  }

  bool first_use(int buffer, int step, const std::vector<bool>& done) const {
    return std::all_of(users_[at(buffer)].begin(), users_[at(buffer)].end(),
                       [&](int user) { return user == step || !done[at(user)]; });
  }
  bool last_use(int buffer, int step, const std::vector<bool>& done) const {
    return std::all_of(users_[at(buffer)].begin(), users_[at(buffer)].end(),
                       [&](int user) { return user == step || done[at(user)]; });
  }

  // A step waits for earlier ones at the same buffer if it or they write there.
  void find_waits(int buffer) {
    const std::vector<int>& users = users_[at(buffer)];
    for (std::size_t later = 1; later < users.size(); ++later)
      for (std::size_t earlier = 0; earlier < later; ++earlier)
        if (contains(problem_.steps[at(users[later])].writes, buffer) ||
            contains(problem_.steps[at(users[earlier])].writes, buffer))
          waits_for_[at(users[later])].push_back(users[earlier]);
  }

  const OrderProblem& problem_;
  std::vector<std::vector<int>> waits_for_;  // by step
  std::vector<std::vector<int>> users_;      // by buffer
};

struct State {
  std::int64_t peak = 0, alive = 0;
  std::vector<int> order;
};
using Level = std::map<std::vector<bool>, State>;

// Of equal ways the one that stays closest to the given order.
void offer(Level& level, const std::vector<bool>& done, State state) {
  const auto [it, is_new] = level.try_emplace(done);
  State& kept = it->second;
  if (is_new || state.peak < kept.peak || (state.peak == kept.peak && state.order < kept.order))
    kept = std::move(state);
}

void narrow(Level& level, std::size_t width) {
  if (level.size() <= width) return;
  std::vector<Level::iterator> states;
  for (auto it = level.begin(); it != level.end(); ++it) states.push_back(it);
  std::stable_sort(states.begin(), states.end(), [](const auto& a, const auto& b) {
    const State &x = a->second, &y = b->second;
    return x.peak != y.peak ? x.peak < y.peak : x.alive != y.alive ? x.alive < y.alive : x.order < y.order;
  });
  for (std::size_t i = width; i < states.size(); ++i) level.erase(states[i]);
}

Level next_level(const Costs& costs, const Level& level) {
  Level next;
  for (const auto& [done, state] : level)
    for (int step = 0; step < costs.count(); ++step) {
      if (!costs.ready(step, done)) continue;
      const Costs::Change change = costs.change(step, done, state.alive);
      State grown{std::max(state.peak, change.during), change.after, state.order};
      grown.order.push_back(step);
      std::vector<bool> now = done;
      now[at(step)] = true;
      offer(next, now, std::move(grown));
    }
  return next;
}

}  // namespace

std::int64_t order_peak(const OrderProblem& problem, const std::vector<int>& order) {
  const Costs costs(problem);
  std::vector<bool> done(problem.steps.size(), false);
  std::int64_t alive = costs.at_start(), peak = alive;
  for (const int step : order) {
    const Costs::Change change = costs.change(step, done, alive);
    peak = std::max(peak, change.during);
    alive = change.after;
    done[at(step)] = true;
  }
  return peak;
}

std::vector<int> order_steps(const OrderProblem& problem) {
  std::vector<int> given(problem.steps.size());
  std::iota(given.begin(), given.end(), 0);
  constexpr std::size_t kMostSteps = 1000, kWork = 4'000'000;  // a tenth of a second at most
  const std::size_t n = problem.steps.size();
  if (n < 3 || n > kMostSteps) return given;
  const std::size_t width = std::clamp<std::size_t>(kWork / (n * n * 4), 2, 500);
  const Costs costs(problem);
  Level level;
  level[std::vector<bool>(n, false)] = {costs.at_start(), costs.at_start(), {}};
  for (std::size_t i = 0; i < n; ++i) {
    level = next_level(costs, level);
    narrow(level, width);
  }
  const State& best = level.begin()->second;
  return best.peak < order_peak(problem, given) ? best.order : given;
}

}  // namespace tinyml
