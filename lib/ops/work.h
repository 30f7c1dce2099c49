// How much computing a node or a graph asks for, estimated from shapes before anything runs, so that hostile work (a
// pool kernel of 3001x3001 in a file of 118 bytes) is refused and not begun. One unit is a multiply-accumulate of a
// packed kernel, 0.03 to 1 ns on two cores; the other weights are measured against it in the source.
#pragma once

#include <optional>
#include <string>

#include "lib/ops/op_def.h"

namespace tinyml {

// More than any honest network for small devices; room for ResNet-50 (4.1e9) and VGG-16 (15.5e9) at 224x224. Less than
// a second of packed kernels, some seconds of the worst ones.
constexpr double kDefaultMostWork = 0x1p35;
constexpr double kMostMaxWork = 1e12;  // that --max-work takes, in 1e9
// What constant folding may spend on a graph: weights are rearranged in far less.
constexpr double kMostFoldingWork = 0x1p31;

// Sizes that are not known count as nothing.
double work_of(const NodeView& node);

struct GraphWork {
  double total = 0, heaviest = 0;
  std::string node;  // the heaviest one
};
// One execution, of one sample where the batch is symbolic. nullopt: other dimensions are open. The graph's types are
// bound for that and put back.
std::optional<GraphWork> work_of(Graph& graph);

// Throws Error naming the heaviest node when one execution asks for more than `most`; `slowness` is what an operation
// costs on the kernels that will do it, of one of the float kernels'.
void check_work(Graph& graph, double most, double slowness = 1);

}  // namespace tinyml
