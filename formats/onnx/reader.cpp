// From a file's bytes to a Graph in canonical form; adds the file's name to every Error.
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <new>

#include "formats/onnx/onnx.h"
#include "formats/onnx/proto.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

using namespace onnx_format;

constexpr int kDeepest = 32;  // nesting of messages: a graph needs about 10 levels

void parse(std::string_view bytes, ::onnx::ModelProto& model) {
  if (bytes.size() > INT_MAX) throw Error("the file is larger than 2 GB", "store the weights as external data");
  const google::protobuf::LogSilencer quiet;  // our Error is the one line that the user sees
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(kDeepest);
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    throw Error("this is no ONNX model, or it is truncated or damaged", "export or download the model again");
  if (!model.has_graph() || model.graph().node_size() + model.graph().output_size() == 0)
    throw Error("the file holds no graph", "expected an ONNX model; export it again");
}

Graph read(std::string_view bytes, const std::filesystem::path& folder) {
  ::onnx::ModelProto model;
  parse(bytes, model);
  Graph graph = import_model(model, folder);
  check_values(graph);
  absorb_quantization(graph);
  graph.drop_unused_constants();
  return graph;
}

}  // namespace

Graph read_onnx_bytes(std::string_view bytes, const std::filesystem::path& folder, const std::string& label) {
  try {
    return read(bytes, folder);
  } catch (Error& error) {
    throw error.in_file(label);
  } catch (const std::bad_alloc&) {
    throw Error("out of memory while reading the model", "check the model's size").in_file(label);
  }
}

Graph read_onnx(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  if (path == "-") return read_onnx_bytes(bytes, {}, "stdin");
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  return read_onnx_bytes(bytes, folder, path.string());
}

}  // namespace tinyml
