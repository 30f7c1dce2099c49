// The parameters of a QuantizeLinear or DequantizeLinear node.
#pragma once

#include <optional>

#include "lib/ir/graph.h"

namespace tinyml::onnx_format {

// nullopt when they are computed, not of float32, or of a type that is no annotation. Error when they make no sense.
std::optional<QuantParams> params_of(const Graph& graph, NodeId node);

}  // namespace tinyml::onnx_format
