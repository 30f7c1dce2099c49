// The choice among the forms of all steps when memory matters: the least arena, or one that keeps within a bound, and
// within that the fewest instructions.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace tinyml {

// What a form costs by itself.
struct FormCost {
  std::size_t bytes = 0;    // its inputs, output and scratch at once, less what may overlap
  double instructions = 0;  // infinite when not known
};

// Plans a choice and gives its bytes. A plan of no more than `enough` bytes need not be made better, and none need be
// made where more than `enough` are needed in any case: then some number above is the answer.
using ArenaOf = std::function<std::size_t(const std::vector<std::size_t>& choice, std::size_t enough)>;

// The index of a form per step. With `limit`, any arena up to that will do (when none is, the least comes out);
// without, it must be the least that is found. Deterministic; plans each form of each step at most once.
std::vector<std::size_t> fit_arena(std::span<const std::vector<FormCost>> forms, std::optional<std::size_t> limit,
                                   const ArenaOf& arena);

}  // namespace tinyml
