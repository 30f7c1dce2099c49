// Which operators do not care about the order of axes, and what must be rewritten when their data operands arrive with
// permuted axes: axis attributes, axes and pads inputs, broadcast constants. Used by sink-transposes.
//
// A permutation p of a value says: value = Transpose(base, p), that is, axis i of the value is axis p[i] of the base.
#pragma once

#include <optional>
#include <vector>

#include "passes/rewrite.h"

namespace tinyml {

using Permutation = std::vector<int>;

bool is_identity(const Permutation& p);
Permutation inverse(const Permutation& p);
// Transpose(Transpose(base, first), then).
Permutation compose(const Permutation& first, const Permutation& then);
// The permutation of a Transpose node over a value of this rank (default: reversed); nullopt when malformed.
std::optional<Permutation> transpose_permutation(const Node& node, std::size_t rank);
// The shape of the base of a value of this shape.
Shape base_shape(const Shape& shape, const Permutation& p);
// A Transpose by p of such a shape moves no element in memory: the axes that are not of size 1 keep their order.
bool keeps_memory_order(const Shape& shape, const Permutation& p);
// Quantization parameters of a value, as parameters of its base.
QuantParams base_quant(QuantParams quant, const Permutation& p);

// How one node takes permuted axes.
struct AxisUse {
  std::vector<std::size_t> data;  // inputs that must all be permuted, constant and broadcast, or of one element
  bool broadcasts = false;        // constants among them are permuted along
  Permutation output;             // of the node's outputs (another rank where axes are reduced away)
};
// For data operands permuted by p; nullopt when the operator or its operands do not allow it.
std::optional<AxisUse> axis_use(const Graph& graph, const Node& node, const Permutation& p);
// Rewrites attributes and auxiliary inputs (not the data inputs) of a node for which axis_use said yes.
void permute_axes(Graph& graph, NodeId node, const Permutation& p);
// A constant operand of a broadcasting operator of the rank of p, as it must be for the base.
ValueId permute_operand(Graph& graph, ValueId constant, const Permutation& p);

}  // namespace tinyml
