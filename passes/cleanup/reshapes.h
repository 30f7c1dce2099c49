// Operators that change dimensions and nothing else: Reshape, Flatten, Squeeze, Unsqueeze. Used by merge-reshapes and
// absorb-transposes.
#pragma once

#include "passes/rewrite.h"

namespace tinyml {

bool is_reshape(const Graph& graph, NodeId node);
// Makes the node, whose output keeps its shape, a reshape of `input`: Flatten where that says it, else Reshape to a
// constant target. False, with nothing changed, when two dimensions of the target would have to be computed.
bool become_reshape(Graph& graph, NodeId node, ValueId input);
// The output is [d, P] where P is the number of elements of a sample: what Flatten(axis=1) computes.
bool is_flattening(const Shape& input, const Shape& output);

}  // namespace tinyml
