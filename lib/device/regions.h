// Two memory regions: which buffers stand in the fast one when it is too small for all.
#pragma once

#include <span>

#include "lib/device/plan_memory.h"

namespace tinyml {

// Spreads the buffers of a planned program over a fast arena of at most `fast_bytes` and a slow one: sets each
// buffer's region and offset, two_arenas and the sizes of both (slow_arena_bytes is at least TML_ARENA_ALIGN, so that
// the emitted interface does not depend on what fits). Those that kernels read and write most often per byte are taken
// first. Throws Error (step named) when a step has more operands than two arenas allow.
void split_regions(Program& program, std::span<const InPlace> in_place, std::size_t fast_bytes);

// How often the bytes of each buffer (for a part: of its whole) are read or written in one inference: an estimate. A
// kernel reads what it multiplies four bytes at a time, from its scratch where it has one and else from its inputs; it
// touches everything else once.
std::vector<double> buffer_traffic(const Program& program);

}  // namespace tinyml
