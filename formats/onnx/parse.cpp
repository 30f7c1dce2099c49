// The first look at a file: protobuf's parser with our limits, and what can be told before a model is imported.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include <climits>
#include <set>

#include "formats/onnx/onnx.h"
#include "formats/onnx/proto.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"

namespace tinyml {
namespace onnx_format {
namespace {

constexpr int kDeepest = 32;  // nesting of messages: a graph needs about 10 levels

template <class Message>
bool parse(std::string_view bytes, Message& message) {
  const google::protobuf::LogSilencer quiet;  // our Error is the one line that the user sees
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(kDeepest);
  return message.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

}  // namespace

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

void parse_model(std::string_view bytes, ::onnx::ModelProto& model) {
  if (bytes.size() > INT_MAX) throw Error("the file is larger than 2 GB", "store the weights as external data");
  if (bytes.empty()) throw Error("the file is empty", "expected an ONNX model");
  if (!parse(bytes, model))
    throw Error("this is no ONNX model, or it is truncated or damaged", "export or download the model again");
  if (!model.has_graph() || model.graph().node_size() + model.graph().output_size() == 0)
    throw Error("the file holds no graph", "expected an ONNX model; export it again");
}

}  // namespace onnx_format

std::vector<std::string> onnx_operators(const std::filesystem::path& path) {
  ::onnx::ModelProto model;
  try {
    onnx_format::parse_model(read_file(path), model);
  } catch (Error& error) {
    throw error.in_file(path.string());
  }
  std::set<std::string> operators;
  for (const auto& node : model.graph().node()) {
    const bool standard = onnx_format::is_default_domain(node.domain());
    operators.insert(standard ? node.op_type() : node.domain() + ":" + node.op_type());
  }
  return {operators.begin(), operators.end()};
}

NamedTensor read_onnx_tensor(const std::filesystem::path& path) {
  ::onnx::TensorProto proto;
  try {
    if (!onnx_format::parse(read_file(path), proto))
      throw Error("this is no serialized ONNX tensor", "expected a .pb file of ONNX's test data");
    Tensor tensor = onnx_format::tensor_from_proto(proto, {});
    return {proto.name(), std::move(tensor)};
  } catch (Error& error) {
    throw error.in_file(path.string());
  }
}

}  // namespace tinyml
