// Builds ONNX models in code, also such as no exporter would write, for the tests of reader and writer.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "formats/onnx/onnx.h"

namespace tinyml::test {

class Model {
 public:
  explicit Model(int opset = 13, int ir_version = 7);

  Model& input(const std::string& name, const std::vector<std::int64_t>& dims, int type = 1);
  Model& output(const std::string& name);  // without a declared type
  Model& output(const std::string& name, const std::vector<std::int64_t>& dims, int type = 1);
  ::onnx::TensorProto& floats(const std::string& name, const std::vector<std::int64_t>& dims,
                              const std::vector<float>& values);
  ::onnx::TensorProto& int64s(const std::string& name, const std::vector<std::int64_t>& values);
  // Narrow integers: type is ONNX's number (INT8 3, UINT8 2, INT32 6).
  ::onnx::TensorProto& integers(const std::string& name, int type, const std::vector<std::int64_t>& dims,
                                const std::vector<int>& values);
  ::onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs);

  ::onnx::ModelProto proto;
  ::onnx::GraphProto& graph = *proto.mutable_graph();

  std::string bytes() const { return proto.SerializeAsString(); }
  Graph read() const { return read_onnx_bytes(bytes()); }
  std::string error() const;  // the one line, or "no error"
};

// The line that reading these bytes fails with, or "no error".
std::string error_of(const std::string& bytes, const std::filesystem::path& folder = {});

void set(::onnx::NodeProto& node, const std::string& key, std::int64_t value);
void set(::onnx::NodeProto& node, const std::string& key, float value);
void set(::onnx::NodeProto& node, const std::string& key, const std::string& value);
void set(::onnx::NodeProto& node, const std::string& key, const std::vector<std::int64_t>& values);
void set(::onnx::NodeProto& node, const std::string& key, const std::vector<float>& values);

// Runs the graph on one input per graph input.
std::vector<Tensor> execute(const Graph& graph, const std::vector<Tensor>& inputs);
std::vector<float> run(const Graph& graph, const std::vector<std::int64_t>& dims, const std::vector<float>& values);

// "Softmax Reshape": the operators in execution order.
std::string operators(const Graph& graph);

}  // namespace tinyml::test
