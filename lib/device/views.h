// Copies that need not be done: a buffer that is copied whole into a run of bytes of another (Concat) can be that run
// from the beginning, and one that is copied from such a run (Split, Slice) can be the run itself.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/ops/lowering.h"

namespace tinyml {

// A step as lowering gave it, in an order that works; it writes the last of its operands (buffers).
struct ViewStep {
  const LoweredStep* step = nullptr;
  const std::vector<int>* operands = nullptr;
};

struct Views {
  std::vector<int> part_of;               // by buffer: the root that it is a part of; -1: none
  std::vector<std::int64_t> part_offset;  // in the root
  std::vector<bool> assembled;            // by buffer: parts of it are written by the steps that compute them
  std::vector<bool> dropped;              // by step: the copies that are not needed
  bool any() const;
};

// Nothing is a part of anything.
Views no_views(std::size_t steps, std::size_t buffers);

// All that can hold together. bytes: by buffer; ports: the buffers that the caller of the model sees.
Views find_views(std::span<const ViewStep> steps, std::span<const std::size_t> bytes, std::span<const int> ports);

}  // namespace tinyml
