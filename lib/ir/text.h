// The readable text form of a graph, for dumps (`--print-after`) and for pass tests. print(parse(t)) == t for printed
// t. One statement per line; `#` starts a comment:
//
//   graph "main" opset 13
//   input %x: float32[batch,3]
//   const %w: float32[3,2] = {1, 2, 3, 4, 5, 6}
//   const %q: float32[2] quant(int8, 0.5, 0) = splat(7)
//   %y: float32[batch,2] quant(int8, 0.1, -3) = Gemm(%x, %w, _) {transB=0, alpha=1f} @fc from "fc.weight", bn
//   output %y
//
// `[*]` is an unknown rank, `?` an unknown dimension, `_` an absent operand. Without `@name` a node is named after its
// first output; without `from` it originates from itself; the types of computed values may be left out.
#pragma once

#include <string>
#include <string_view>

#include "lib/ir/graph.h"

namespace tinyml {

// Constants of more than `most_elements` elements print as a digest and cannot be parsed back.
std::string print(const Graph& graph, std::size_t most_elements = SIZE_MAX);
// Throws Error with the line number and what was expected there.
Graph parse(std::string_view text);

}  // namespace tinyml
