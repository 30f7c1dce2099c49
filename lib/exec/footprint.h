// How much memory a graph's values need while it runs, so that whoever runs it can choose a batch that fits the limit.
#pragma once

#include <cstddef>

#include "lib/ir/graph.h"

namespace tinyml {

struct Footprint {
  double peak = 0;  // bytes of the values that live at one time
  double all = 0;   // bytes of all values, for whoever holds on to them
};
// Of one sample; unknown dimensions count as 1.
Footprint footprint(const Graph& graph);

// The batch, at most `most`, whose values of `bytes` a sample fit into the memory that is left; at least 1.
std::size_t fitting_batch(double bytes, std::size_t most);

}  // namespace tinyml
