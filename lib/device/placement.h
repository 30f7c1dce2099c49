// Places items of given sizes in one address range so that the range is as short as possible. Pairs of items that
// matter to each other state how they may stand; all others may share addresses freely. Used by plan_memory.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tinyml {

// Two items stand in one of two or three ways: offset[a] + a_below <= offset[b], or offset[b] + b_below <= offset[a]
// (disjoint when these are the sizes of a and b; less where they may overlap), or offset[a] + shift == offset[b].
struct PlacementPair {
  int a = 0, b = 0;
  std::int64_t a_below = 0, b_below = 0;
  std::optional<std::int64_t> shift;  // a multiple of the alignment; nullopt: not in that way
};

struct PlacementProblem {
  std::vector<std::int64_t> sizes;
  std::vector<PlacementPair> pairs;
  std::int64_t alignment = 1;  // of offsets
};

struct Placement {
  std::vector<std::int64_t> offsets;
  std::int64_t bytes = 0;        // the largest offset + size
  std::int64_t lower_bound = 0;  // proven: no placement is shorter
};

// `orders`: permutations of the items to try first; `bound`: a known lower bound. Deterministic, and bounded in work.
Placement place_items(const PlacementProblem& problem, std::span<const std::vector<int>> orders, std::int64_t bound);

}  // namespace tinyml
