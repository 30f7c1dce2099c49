// Patch-by-patch execution of a stage of the network, in bands of rows: each band takes the rows of the stage's input
// that it needs (neighbours overlap where windows do), goes through all operators of the stage, and yields some rows of
// its output. No map between the stage's ends is whole at any time; the price is that rows in the overlap are computed
// twice. A rewrite of the graph before lowering, where slices and the joined output are views; the bits stay the same.
// (Lin et al., MCUNetV2: Memory-Efficient Patch-based Inference for Tiny Deep Learning, NeurIPS 2021,
// arXiv:2110.15352.)
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "lib/device/groups.h"
#include "lib/ir/graph.h"

namespace tinyml {

struct RowRange {
  std::int64_t begin = 0, end = 0;
  std::int64_t rows() const { return end - begin; }
};

// A stage: groups [first, last] of the graph, whose nodes compute rows from rows, with one value in and one out.
struct BandRegion {
  std::size_t first = 0, last = 0;
  ValueId input = ValueId::none, output = ValueId::none;
};

// Those that begin at group `from` or before and end at `to` or behind; all by default.
std::vector<BandRegion> band_regions(const Graph& graph, const std::vector<NodeGroup>& groups,
                                     std::size_t from = SIZE_MAX, std::size_t to = 0);

// The rows of the stage's input and of every value within that the rows `out` of its output need.
std::map<ValueId, RowRange> rows_needed(const Graph& graph, const std::vector<NodeGroup>& groups,
                                        const BandRegion& region, RowRange out);

// Rows of a map [1, C, H, W]; 0 for any other value.
std::int64_t rows_of(const Graph& graph, ValueId value);

// The output's rows in runs of `rows_per_band`, the last one perhaps shorter.
std::vector<RowRange> band_rows(std::int64_t rows, std::int64_t rows_per_band);

// The graph with the stage in bands.
Graph in_bands(const Graph& graph, const std::vector<NodeGroup>& groups, const BandRegion& region,
               std::int64_t rows_per_band);

}  // namespace tinyml
