// Buffers that are alive in the same step become pairs of a placement problem: disjoint, unless one of them is the
// output that the step may write into the other, its dying input. Buffers that never meet share addresses freely.
#include "lib/device/plan_memory.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <vector>

#include "lib/device/placement.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::int64_t bytes_of(const ProgramBuffer& buffer) { return static_cast<std::int64_t>(buffer.bytes); }

bool meet(const ProgramBuffer& a, const ProgramBuffer& b) {
  return a.bytes != 0 && b.bytes != 0 && a.first_step <= b.last_step && b.first_step <= a.last_step;
}

struct Relation {
  bool exact = false;
  std::optional<std::int64_t> distance;
};

// By the buffers of the pair, input first: only where the one dies in the very step that writes the other.
using Relations = std::map<std::pair<int, int>, Relation>;

Relations relations_of(const Program& program, std::span<const InPlace> in_place) {
  Relations relations;
  for (const InPlace& pair : in_place) {
    const ProgramBuffer &from = program.buffers[at(pair.from)], &to = program.buffers[at(pair.to)];
    if (pair.from == pair.to || from.last_step != to.first_step || from.first_step == to.first_step) continue;
    Relation& relation = relations[{pair.from, pair.to}];
    if (!pair.distance)
      relation.exact = true;
    else
      relation.distance = std::min(*pair.distance, relation.distance.value_or(*pair.distance));
  }
  return relations;
}

PlacementPair pair_of(const Program& program, const Relations& relations, int a, int b) {
  if (relations.contains({b, a})) std::swap(a, b);
  const std::int64_t a_bytes = bytes_of(program.buffers[at(a)]), b_bytes = bytes_of(program.buffers[at(b)]);
  PlacementPair pair{a, b, a_bytes, b_bytes, false};
  if (const auto it = relations.find({a, b}); it != relations.end()) {
    pair.may_be_equal = it->second.exact;
    pair.b_below = std::min(b_bytes, it->second.distance.value_or(b_bytes));
  }
  return pair;
}

PlacementProblem problem_of(const Program& program, const Relations& relations) {
  PlacementProblem problem;
  problem.alignment = TML_ARENA_ALIGN;
  const int count = static_cast<int>(program.buffers.size());
  for (const ProgramBuffer& buffer : program.buffers) problem.sizes.push_back(bytes_of(buffer));
  std::vector<int> by_start(program.buffers.size()), alive;
  std::iota(by_start.begin(), by_start.end(), 0);
  std::stable_sort(by_start.begin(), by_start.end(),
                   [&](int a, int b) { return program.buffers[at(a)].first_step < program.buffers[at(b)].first_step; });
  for (int i = 0; i < count; ++i) {
    const int b = by_start[at(i)];
    std::erase_if(alive, [&](int a) { return program.buffers[at(a)].last_step < program.buffers[at(b)].first_step; });
    for (const int a : alive)
      if (meet(program.buffers[at(a)], program.buffers[at(b)]))
        problem.pairs.push_back(pair_of(program, relations, a, b));
    alive.push_back(b);
  }
  return problem;
}

std::int64_t most_shared(const PlacementPair& pair, std::int64_t a, std::int64_t b) {
  return std::max(pair.may_be_equal ? shared_bytes({0, 0, std::nullopt}, a, b) : 0,
                  pair.b_below < b ? shared_bytes({0, 0, pair.b_below}, a, b) : 0);
}

// Over all steps in which a buffer starts (the live set only grows there).
std::int64_t bound_of(const Program& program, const PlacementProblem& problem) {
  std::map<int, std::int64_t> need;
  for (const ProgramBuffer& start : program.buffers) need[start.first_step] = 0;
  for (const ProgramBuffer& buffer : program.buffers)
    for (auto it = need.lower_bound(buffer.first_step); it != need.end() && it->first <= buffer.last_step; ++it)
      it->second += bytes_of(buffer);
  for (const PlacementPair& pair : problem.pairs) {
    const ProgramBuffer &from = program.buffers[at(pair.a)], &to = program.buffers[at(pair.b)];
    const std::int64_t shared = most_shared(pair, bytes_of(from), bytes_of(to));
    if (shared > 0) need[to.first_step] -= shared;
  }
  std::int64_t bound = 0;
  for (const std::int64_t size : problem.sizes) bound = std::max(bound, size);
  for (const auto& [step, bytes] : need) bound = std::max(bound, bytes);
  return bound;
}

// Largest first is nearly always good for chains, the others win on branching graphs; the last step first lets the
// inputs of raster kernels stand above what they become.
std::vector<std::vector<int>> orders_of(const Program& program) {
  const auto lifetime = [](const ProgramBuffer& b) { return static_cast<std::size_t>(b.last_step - b.first_step + 1); };
  const std::function<bool(const ProgramBuffer&, const ProgramBuffer&)> befores[] = {
      [](const auto& a, const auto& b) { return a.bytes > b.bytes; },
      [&](const auto& a, const auto& b) { return a.bytes * lifetime(a) > b.bytes * lifetime(b); },
      [](const auto& a, const auto& b) { return a.first_step < b.first_step; },
      [](const auto& a, const auto& b) { return a.last_step > b.last_step; },
      [&](const auto& a, const auto& b) { return lifetime(a) > lifetime(b); },
  };
  std::vector<std::vector<int>> orders;
  for (const auto& before : befores) {
    std::vector<int>& order = orders.emplace_back(program.buffers.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return before(program.buffers[at(a)], program.buffers[at(b)]); });
  }
  return orders;
}

}  // namespace

std::int64_t shared_bytes(const InPlace& relation, std::int64_t from_bytes, std::int64_t to_bytes) {
  if (from_bytes == 0 || to_bytes == 0) return 0;
  if (!relation.distance) return std::min(from_bytes, to_bytes);
  const std::int64_t together = std::max({from_bytes, to_bytes, *relation.distance + from_bytes});
  return std::max<std::int64_t>(0, from_bytes + to_bytes - together);
}

void plan_memory(Program& program, std::span<const InPlace> in_place) {
  program.arena_bytes = program.arena_bound = 0;
  if (program.buffers.empty()) return;
  const PlacementProblem problem = problem_of(program, relations_of(program, in_place));
  const Placement placement = place_items(problem, orders_of(program), bound_of(program, problem));
  for (std::size_t i = 0; i < program.buffers.size(); ++i)
    program.buffers[i].offset = static_cast<std::size_t>(placement.offsets[i]);
  program.arena_bytes = static_cast<std::size_t>(placement.bytes);
  program.arena_bound = static_cast<std::size_t>(placement.lower_bound);
}

std::size_t live_bytes_bound(const Program& program, std::span<const InPlace> in_place) {
  return static_cast<std::size_t>(bound_of(program, problem_of(program, relations_of(program, in_place))));
}

}  // namespace tinyml
