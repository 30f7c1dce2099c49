// ONNX files in and out. Protobuf is visible in this folder's sources and nowhere else.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lib/ir/graph.h"

namespace tinyml {

// Reads a model of any IR version and opset from 7 on ("-" is stdin) into the canonical form: newest semantics, sorted,
// types inferred, pairs of QuantizeLinear/DequantizeLinear absorbed into QuantParams.
// External data is read from files inside the model's folder only. Throws Error with file, node and tensor.
Graph read_onnx(const std::filesystem::path& path);
Graph read_onnx_bytes(std::string_view bytes, const std::filesystem::path& folder = {},
                      const std::string& label = "model");

// The operators that a model file names, sorted, without importing it: what a reader would have to know. Operators of
// other domains as "domain:Op".
std::vector<std::string> onnx_operators(const std::filesystem::path& path);

// One serialized tensor (.pb), as ONNX's own test data holds inputs and outputs.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};
NamedTensor read_onnx_tensor(const std::filesystem::path& path);

// Serializes: opset 13, or the first that has every operator used; IR version 7 or what the opset needs. QuantParams
// become QuantizeLinear/DequantizeLinear pairs. The same graph gives the same bytes.
std::string write_onnx_bytes(const Graph& graph);
void write_onnx(const Graph& graph, const std::filesystem::path& path);

}  // namespace tinyml
