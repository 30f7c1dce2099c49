// Which activations are held in 16 bits: all of them, or the outputs of nodes chosen by name and what is tied to them.
#pragma once

#include <set>

#include "passes/quantize/plan.h"

namespace tinyml {

// Fills plan.int16. Where a node without a form for 16 bits reads such a value, an Identity is put between, whose
// output stays int8; the plan is then made anew. Nodes chosen by name that have no such form stay int8 and are
// reported; when all activations were asked for, such a node is an Error. Error for a pattern that matches nothing.
void choose_int16_values(Graph& graph, QuantPlan& plan, const QuantizeOptions& options, QuantizeReport& report);

}  // namespace tinyml
