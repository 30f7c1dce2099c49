// Kernels take all of their activations in 8 bits or all in 16. Where a node mixes both, it computes in 16 bits: int8
// inputs are widened before it, an int8 output is narrowed behind it.
#pragma once

#include "lib/ir/graph.h"

namespace tinyml {

// Inserts Identity nodes, which lower to rescaling. The 16-bit grid beside an int8 one has 1/128 of its step, so that
// widening is exact and narrowing rounds only. Error for a node that has no form with 16-bit activations.
void match_activation_types(Graph& graph);

// Whether the node computes in 16 bits: an input has them, or an output, behind the clamps that it becomes one with.
bool runs_in_16_bits(const Graph& graph, NodeId id);

}  // namespace tinyml
