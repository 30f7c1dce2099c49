// See model.h.
#include "tests/unit/formats/onnx/model.h"

#include "lib/exec/executor.h"
#include "lib/support/error.h"

namespace tinyml::test {
namespace {

void set_type(::onnx::ValueInfoProto& info, const std::vector<std::int64_t>& dims, int type) {
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  auto& shape = *tensor.mutable_shape();
  for (const std::int64_t d : dims) shape.add_dim()->set_dim_value(d);
}

::onnx::TensorProto& tensor(::onnx::GraphProto& graph, const std::string& name, int type,
                            const std::vector<std::int64_t>& dims) {
  auto& t = *graph.add_initializer();
  t.set_name(name);
  t.set_data_type(type);
  for (const std::int64_t d : dims) t.add_dims(d);
  return t;
}

::onnx::AttributeProto& attribute(::onnx::NodeProto& node, const std::string& key,
                                  ::onnx::AttributeProto::AttributeType type) {
  auto& a = *node.add_attribute();
  a.set_name(key);
  a.set_type(type);
  return a;
}

}  // namespace

Model::Model(int opset, int ir_version) {
  proto.set_ir_version(ir_version);
  proto.add_opset_import()->set_version(opset);
  graph.set_name("g");
}

Model& Model::input(const std::string& name, const std::vector<std::int64_t>& dims, int type) {
  auto& info = *graph.add_input();
  info.set_name(name);
  set_type(info, dims, type);
  return *this;
}

Model& Model::output(const std::string& name) {
  graph.add_output()->set_name(name);
  return *this;
}

Model& Model::output(const std::string& name, const std::vector<std::int64_t>& dims, int type) {
  auto& info = *graph.add_output();
  info.set_name(name);
  set_type(info, dims, type);
  return *this;
}

::onnx::TensorProto& Model::floats(const std::string& name, const std::vector<std::int64_t>& dims,
                                   const std::vector<float>& values) {
  auto& t = tensor(graph, name, ::onnx::TensorProto::FLOAT, dims);
  t.mutable_float_data()->Add(values.begin(), values.end());
  return t;
}

::onnx::TensorProto& Model::int64s(const std::string& name, const std::vector<std::int64_t>& values) {
  auto& t = tensor(graph, name, ::onnx::TensorProto::INT64, {static_cast<std::int64_t>(values.size())});
  t.mutable_int64_data()->Add(values.begin(), values.end());
  return t;
}

::onnx::TensorProto& Model::integers(const std::string& name, int type, const std::vector<std::int64_t>& dims,
                                     const std::vector<int>& values) {
  auto& t = tensor(graph, name, type, dims);
  t.mutable_int32_data()->Add(values.begin(), values.end());
  return t;
}

::onnx::NodeProto& Model::node(const std::string& op, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs) {
  auto& n = *graph.add_node();
  n.set_op_type(op);
  n.set_name("n" + std::to_string(graph.node_size() - 1));
  for (const auto& i : inputs) n.add_input(i);
  for (const auto& o : outputs) n.add_output(o);
  return n;
}

std::string Model::error() const { return error_of(bytes()); }

std::string error_of(const std::string& bytes, const std::filesystem::path& folder) {
  try {
    (void)read_onnx_bytes(bytes, folder, "m.onnx");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void set(::onnx::NodeProto& node, const std::string& key, std::int64_t value) {
  attribute(node, key, ::onnx::AttributeProto::INT).set_i(value);
}
void set(::onnx::NodeProto& node, const std::string& key, float value) {
  attribute(node, key, ::onnx::AttributeProto::FLOAT).set_f(value);
}
void set(::onnx::NodeProto& node, const std::string& key, const std::string& value) {
  attribute(node, key, ::onnx::AttributeProto::STRING).set_s(value);
}
void set(::onnx::NodeProto& node, const std::string& key, const std::vector<std::int64_t>& values) {
  attribute(node, key, ::onnx::AttributeProto::INTS).mutable_ints()->Add(values.begin(), values.end());
}
void set(::onnx::NodeProto& node, const std::string& key, const std::vector<float>& values) {
  attribute(node, key, ::onnx::AttributeProto::FLOATS).mutable_floats()->Add(values.begin(), values.end());
}

std::vector<Tensor> execute(const Graph& graph, const std::vector<Tensor>& inputs) {
  ThreadPool threads(1);
  return Executor(graph, threads).run(inputs);
}

std::vector<float> run(const Graph& graph, const std::vector<std::int64_t>& dims, const std::vector<float>& values) {
  return to_floats(execute(graph, {Tensor::from<float>(dims, std::span<const float>(values))}).at(0));
}

std::string operators(const Graph& graph) {
  std::string all;
  for (const NodeId id : graph.nodes()) all += (all.empty() ? "" : " ") + graph.node(id).op;
  return all;
}

}  // namespace tinyml::test
