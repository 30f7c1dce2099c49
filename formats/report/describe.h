// What `inspect` knows of a model: layers with shapes, parameters, MACs and bytes, as data, as JSON and as text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/ir/graph.h"

namespace tinyml {

struct LayerSummary {
  std::string name, op;
  Shape output_shape;
  bool shape_known = true;
  std::int64_t parameters = 0;  // elements of weights, each counted at its first use
  std::int64_t macs = 0;        // of one sample
  std::int64_t bytes = 0;       // of the weights
};

struct PortSummary {
  std::string name;
  std::optional<Shape> shape;
  std::string type;  // with quantization parameters: of the integers
};

struct ModelSummary {
  std::string name, producer;
  int opset = 0;
  std::vector<PortSummary> inputs, outputs;
  std::vector<LayerSummary> layers;
  std::int64_t parameters = 0, macs = 0, bytes = 0;
  bool macs_known = true;  // false: dimensions other than the batch are symbolic
  bool quantized = false;
};

ModelSummary summarize(const Graph& graph);
// Whether any activation carries quantization parameters.
bool is_quantized(const Graph& graph);

nlohmann::ordered_json to_json(const ModelSummary& summary);
nlohmann::ordered_json to_json(const Shape& shape);  // numbers, and names where a dimension is symbolic
std::string to_text(const ModelSummary& summary);

}  // namespace tinyml
