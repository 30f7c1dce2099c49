// Structural verifier: the invariants of graph.h that do not depend on any operator. The pass runner calls it before
// and after each pass.
#pragma once

#include "lib/ir/graph.h"

namespace tinyml {

// Throws an internal Error that names the first node or value whose links are inconsistent: producers and consumers
// agree, the order is topological, constants match their types, quantization parameters are well formed.
void verify(const Graph& graph);

}  // namespace tinyml
