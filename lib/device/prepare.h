// Brings a copy of the graph into the form that lowering takes: batch 1, everything static, explicit quantization nodes
// turned into QuantParams, uint8 turned into int8, constant parts folded.
#pragma once

#include "lib/ir/graph.h"

namespace tinyml {

Graph prepare_for_device(const Graph& graph);

}  // namespace tinyml
