// Copies that need not be done: a buffer that is copied whole into bytes of another (Concat) can be those bytes from
// the beginning, and one that is copied from them (Split, Slice) can be those bytes itself. Rows are one run of bytes;
// channels are runs at a pitch, which the kernels that write and read them must be able to follow.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "lib/device/part_layout.h"
#include "lib/ops/lowering.h"

namespace tinyml {

// A step as lowering gave it, in an order that works; it writes the last of its operands (buffers).
struct ViewStep {
  const LoweredStep* step = nullptr;
  const std::vector<int>* operands = nullptr;
};

struct Views {
  std::vector<int> part_of;        // by buffer: the root that it is a part of; -1: none
  std::vector<PartLayout> layout;  // in the root
  std::vector<bool> assembled;     // by buffer: parts of it are written by the steps that compute them
  std::vector<bool> dropped;       // by step: the copies that are not needed
  bool any() const;
  bool has_pitch() const;
};

// Nothing is a part of anything.
Views no_views(std::size_t steps, std::size_t buffers);

struct PitchRule {
  // Predicted instructions of the step with its operands in these places; nullopt where no kernel can do it.
  std::function<std::optional<double>(std::size_t step, const std::vector<PartLayout>& operands)> cost;
  std::function<bool(std::size_t step)> is_copied;  // stays a copy
  bool at_any_cost = false;                         // also where the steps become slower by more than the copy takes
};

// All that can hold together. bytes: by buffer; ports: the buffers that the caller of the model sees. Without a rule
// for pitches, those parts only that are one run.
Views find_views(std::span<const ViewStep> steps, std::span<const std::size_t> bytes, std::span<const int> ports,
                 const PitchRule* rule = nullptr);

}  // namespace tinyml
