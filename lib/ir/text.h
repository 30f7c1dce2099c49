// The readable text form of a graph, for dumps (`--print-after`) and for pass tests. print(parse(t)) == t for printed
// t.
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
