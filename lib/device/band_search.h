// Which stage of a network to run in bands of rows, and in how many, when its arena must fit a bound.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "lib/device/bands.h"
#include "lib/device/program.h"

namespace tinyml {

struct BandChoice {
  BandRegion region;
  std::int64_t rows = 0;  // of the output in each band, but perhaps the last
  std::int64_t extra_macs = 0;
  std::size_t arena_estimate = 0;
};

// All that could be done, with estimates: the largest sum of values (or rows of values) alive at once, in the graph's
// order, where an operator's output may take the place of the input that dies in it.
// Only those that estimate less than the graph without bands.
std::vector<BandChoice> band_choices(const Graph& graph, const std::vector<NodeGroup>& groups);

// The arena, or both arenas of a program with two memory regions.
std::size_t ram_bytes(const Program& program);

// `fastest`, lowered without a bound, needs more than `bound`; `lean` is the program with the bound, without bands. The
// result is the program of fewest predicted instructions that fits, else the one of the least arena; either may be
// `lean`. `lowered` makes a program of a graph.
Program fit_with_bands(const Graph& graph, const Program& fastest, Program lean, std::size_t bound,
                       const std::function<Program(const Graph&)>& lowered);

}  // namespace tinyml
