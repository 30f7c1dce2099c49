// From a file's bytes to a Graph in canonical form; adds the file's name to every Error.
#include <new>

#include "formats/onnx/onnx.h"
#include "formats/onnx/proto.h"
#include "lib/ops/op_def.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"
#include "lib/support/memory.h"

namespace tinyml {
namespace {

using namespace onnx_format;

// The file and what protobuf makes of it stand in memory together: a hostile file stays below 1 GB.
constexpr std::size_t kLargestFile = std::size_t{256} << 20U;

Graph read(std::string_view bytes, const std::filesystem::path& folder) {
  ParsedModel model(bytes);
  inline_functions(model.proto());
  Graph graph = import_model(model.proto(), folder);
  check_values(graph);
  graph.drop_unused_constants();
  clip_reals_not_integers(graph);
  absorb_quantization(graph);
  infer_types(graph);  // an operand that is a constant now may contradict its node
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
  const std::string bytes = read_file(path, kLargestFile, starts_as_message);
  allow_memory_for_file(bytes.size());
  if (path == "-") return read_onnx_bytes(bytes, {}, "stdin");
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  return read_onnx_bytes(bytes, folder, path.string());
}

}  // namespace tinyml
