// Fuzz target: the ONNX reader. Any bytes give a graph or one Error, never a crash, and what was read can be written
// and read again. Built with driver.cpp, or with clang's -fsanitize=fuzzer instead of it.
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/onnx/onnx.h"
#include "lib/ir/verify.h"
#include "lib/support/error.h"

using namespace tinyml;

namespace {

bool read(std::string_view bytes, Graph& graph) {
  try {
    graph = read_onnx_bytes(bytes);
    return true;
  } catch (const Error& error) {
    if (error.kind() == ExitCode::internal) throw;
    const std::string line = error.what();
    if (line.empty() || line.find('\n') != std::string::npos) internal_error("not one line: " + line);
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Graph graph, again;
  if (!read({reinterpret_cast<const char*>(data), size}, graph)) return 0;
  verify(graph);
  const std::string bytes = write_onnx_bytes(graph);
  again = read_onnx_bytes(bytes, {}, "what was written");
  verify(again);
  return 0;
}
