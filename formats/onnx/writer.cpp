#include "formats/onnx/onnx.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"
namespace tinyml {
std::string write_onnx_bytes(const Graph&) { throw Error("writing ONNX is not there yet"); }
void write_onnx(const Graph& graph, const std::filesystem::path& path) { write_file(path, write_onnx_bytes(graph)); }
}  // namespace tinyml
