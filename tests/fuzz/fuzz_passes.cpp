// Fuzz target: the clean-up pipeline on whatever the reader accepts; small graphs are executed before and after.
// The runner verifies the graph around each pass; an Error that blames the model is a legal end, a broken invariant is
// not.
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/onnx/onnx.h"
#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"
#include "passes/runner.h"

using namespace tinyml;

namespace {

constexpr std::int64_t kMostElements = 1 << 16, kMostMacs = 1 << 22;  // of a graph that is worth executing here

bool is_small(const Graph& graph) {
  std::int64_t elements = 0, macs = 0;
  for (const ValueId id : graph.values()) {
    const auto& shape = graph.value(id).type.shape;
    if (!shape || !is_static(*shape)) return false;
    elements += element_count(to_dims(*shape));
  }
  for (const NodeId id : graph.nodes()) {
    const OpDef* op = find_op(graph.node(id).op);
    if (op->macs != nullptr) macs += op->macs(NodeView(graph, graph.node(id)));
    if (macs > kMostMacs || macs < 0) return false;
  }
  return elements <= kMostElements;
}

void execute(Graph graph, ThreadPool& threads) {
  bind_batch(graph, 2);
  if (!is_small(graph)) return;
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    const TensorType& type = graph.value(id).type;
    inputs.emplace_back(type.dtype, to_dims(*type.shape));
  }
  (void)Executor(graph, threads).run(inputs);
}

template <class Step>
void tolerate_errors(Step step) {
  try {
    step();
  } catch (const Error& error) {
    if (error.kind() == ExitCode::internal) throw;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ThreadPool threads(1);
  tolerate_errors([&] {
    Graph graph = read_onnx_bytes({reinterpret_cast<const char*>(data), size});
    tolerate_errors([&] { execute(graph, threads); });
    run_to_fixpoint(graph, cleanup_passes(), PassContext{threads});
    (void)write_onnx_bytes(graph);
    tolerate_errors([&] { execute(graph, threads); });
  });
  return 0;
}
