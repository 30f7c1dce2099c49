// Which activations are held in 16 bits: all of them, or the outputs of chosen nodes and what is tied to them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "passes/quantize/plan.h"

namespace tinyml {

// The values that the options ask for. Nodes chosen by name that have no form for 16 bits stay int8 and are reported;
// when all activations were asked for, such a node is an Error. Error for a pattern that matches nothing.
std::set<ValueId> chosen_int16_values(const Graph& graph, const QuantPlan& plan, const QuantizeOptions& options,
                                      QuantizeReport& report);

// Values that can be held in 16 bits and are not tied to others' types, in execution order; graph inputs first.
std::vector<ValueId> int16_candidates(const Graph& graph, const QuantPlan& plan);

// Sets plan.int16 to these values and to what is tied to them. Where a node without a form for 16 bits reads such a
// value, an Identity is put between, whose output stays int8; the plan is then made anew.
void hold_in_int16(Graph& graph, QuantPlan& plan, const std::set<ValueId>& values,
                   const std::vector<std::string>& exclude);

// Nodes whose results are held in 16 bits.
std::vector<std::string> int16_nodes(const Graph& graph, const QuantPlan& plan);

}  // namespace tinyml
