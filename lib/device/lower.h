// Graph with quantization parameters -> Program. Binds batch to 1, folds what became constant, chooses memory layouts,
// fuses clamps, asks each operator for its steps, and plans the arena.
#pragma once

#include <optional>

#include "lib/device/program.h"

namespace tinyml {

// The target decides which kernels are chosen, never what they compute: every choice gives the same bits.
struct LowerOptions {
  Target target = Target::generic;
  Optimize optimize = Optimize::speed;
  std::size_t max_arena = 0;  // bytes to keep within where slower kernels of less memory can; 0: no bound
  // Bytes of a fast memory region: what does not fit stands in a second, slow arena. nullopt: one arena for all.
  std::optional<std::size_t> fast_arena = std::nullopt;
  Specialize specialize = Specialize::none;  // kernels compiled for a layer's shape (fixed_shape.h)
  bool views = true;  // place parts in the whole (Concat, Split, Slice of rows) instead of copying them
};

// Throws Error that names the node which has no device form, or whose value has no quantization parameters, and the
// cure.
Program lower(const Graph& graph, const LowerOptions& options = {});

}  // namespace tinyml
