// Offsets in the arena for the buffers of a Program, from their lifetimes.
#pragma once

#include <cstddef>
#include <span>

#include "lib/device/program.h"

namespace tinyml {

// The output `to` of a step may be written over the input `from` if that dies in the step.
struct InPlace {
  int from = 0, to = 0;  // buffers
};

// Sets the offset of every buffer (multiples of TML_ARENA_ALIGN) and program.arena_bytes.
void plan_memory(Program& program, std::span<const InPlace> in_place);

// What no plan can go below: the largest sum of the buffers that one step needs at once. A buffer written in place of
// another counts once, as `plan_memory` merges them.
std::size_t live_bytes_bound(const Program& program, std::span<const InPlace> in_place);

}  // namespace tinyml
