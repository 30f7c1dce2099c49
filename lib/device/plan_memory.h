// Offsets in the arena for the buffers of a Program, from their lifetimes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "lib/device/program.h"

namespace tinyml {

// How the output `to` of a step may share memory with the input `from` when that dies in the step: at exactly its
// offset (their sizes may differ), or, with a distance d, wherever offset(to) + d <= offset(from). A pair may be listed
// with several relations, any of which will do.
struct InPlace {
  int from = 0, to = 0;                  // buffers
  std::optional<std::int64_t> distance;  // bytes; nullopt: exactly there
};

// How many bytes the two can share at most.
std::int64_t shared_bytes(const InPlace& relation, std::int64_t from_bytes, std::int64_t to_bytes);

// Sets the offset of every buffer (multiples of TML_ARENA_ALIGN), program.arena_bytes and arena_bound. An arena of no
// more than `enough` bytes is not made smaller (then the bound may be that).
void plan_memory(Program& program, std::span<const InPlace> in_place, std::size_t enough = 0);

// What no plan can go below: the largest sum of the buffers that one step needs at once, less what may overlap.
std::size_t live_bytes_bound(const Program& program, std::span<const InPlace> in_place);

}  // namespace tinyml
