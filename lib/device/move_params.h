// Parameters of a quantized value are those of every value that holds the same numbers in another place.
#pragma once

#include "lib/ir/graph.h"

namespace tinyml {

// Where an operator only moves values (Transpose, Reshape, MaxPool), rounding before it and after it is the same: gives
// an unquantized input the parameters of the outputs, and an unquantized output those of the input. Exact. Models of
// other tools often quantize behind the Transpose that follows the input.
void move_params(Graph& graph);

}  // namespace tinyml
