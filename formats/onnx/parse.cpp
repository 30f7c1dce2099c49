// The first look at a file: protobuf's parser with our limits, and what can be told before a model is imported.
#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include <climits>
#include <memory>
#include <new>
#include <set>

#include "formats/onnx/onnx.h"
#include "formats/onnx/proto.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"

namespace tinyml {
namespace onnx_format {
namespace {

constexpr int kDeepest = 32;  // nesting of messages: a graph needs about 10 levels

// An empty message takes 2 bytes in a file and more than 100 in memory, so memory is limited by this budget (contents
// of strings, such as raw tensor data, are outside of it: they are never larger than the file).
constexpr std::size_t kMessageBytes = std::size_t{512} << 20U;
thread_local std::size_t arena_budget = 0;

void* take_block(std::size_t size) {
  if (size > arena_budget) throw std::bad_alloc();
  arena_budget -= size;
  return ::operator new(size);
}
void give_block(void* block, std::size_t) { ::operator delete(block); }

google::protobuf::ArenaOptions arena_options(std::size_t file_size) {
  arena_budget = kMessageBytes + 2 * file_size;
  google::protobuf::ArenaOptions options;
  options.block_alloc = take_block;
  options.block_dealloc = give_block;
  options.max_block_size = std::size_t{1} << 20U;
  return options;
}

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

struct ParsedModel::Storage {
  explicit Storage(std::size_t file_size) : arena(arena_options(file_size)) {}
  google::protobuf::Arena arena;
};

ParsedModel::ParsedModel(std::string_view bytes)
    : storage_(std::make_unique<Storage>(bytes.size())),
      model_(google::protobuf::Arena::CreateMessage<::onnx::ModelProto>(&storage_->arena)) {
  ::onnx::ModelProto& model = *model_;
  if (bytes.size() > INT_MAX) throw Error("the file is larger than 2 GB", "store the weights as external data");
  if (bytes.empty()) throw Error("the file is empty", "expected an ONNX model");
  try {
    if (!parse(bytes, model))
      throw Error("this is no ONNX model, or it is truncated or damaged", "export or download the model again");
  } catch (const std::bad_alloc&) {
    throw Error("the file describes far more than it holds", "it is damaged; export the model again");
  }
  if (!model.has_graph() || model.graph().node_size() + model.graph().output_size() == 0)
    throw Error("the file holds no graph", "expected an ONNX model; export it again");
}

ParsedModel::~ParsedModel() = default;

}  // namespace onnx_format

std::vector<std::string> onnx_operators(const std::filesystem::path& path) {
  try {
    const onnx_format::ParsedModel model(read_file(path));
    std::set<std::string> operators;
    for (const auto& node : model.proto().graph().node()) {
      const bool standard = onnx_format::is_default_domain(node.domain());
      operators.insert(standard ? node.op_type() : node.domain() + ":" + node.op_type());
    }
    return {operators.begin(), operators.end()};
  } catch (Error& error) {
    throw error.in_file(path.string());
  }
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
