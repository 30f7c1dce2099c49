// ONNX's own backend tests (Debian's libonnx-testdata) through reader, float executor and writer.
//
// Each case that is made of our operators only is computed three ways: as the executor plans it, node by node without
// fusion, and after having been written and read back. All must agree with the stored outputs, by the tolerance of
// ONNX's own runner: |ours - stored| <= 1e-7 + 1e-3 * |stored|, integers and booleans exactly, types and shapes equal.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "formats/onnx/onnx.h"
#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace {

namespace fs = std::filesystem;
using namespace tinyml;

constexpr double kRelative = 1e-3, kAbsolute = 1e-7;  // onnx/backend/test/runner: assert_similar_outputs
constexpr int kLeastPassed = 508;                     // what the released test data must give

// Cases of our operators that are no float inference. A prefix stands for its variants.
struct Exception {
  std::string_view prefix, reason;
};
constexpr Exception kExceptions[] = {
    {"test_training_dropout", "training mode"},
    {"test_batchnorm_epsilon_training_mode", "training mode"},
    {"test_batchnorm_example_training_mode", "training mode"},
    {"test_cast_FLOAT_to_STRING", "tensors of strings"},
    {"test_cast_STRING_to_FLOAT", "tensors of strings"},
    {"test_castlike_FLOAT_to_STRING", "tensors of strings"},
    {"test_castlike_STRING_to_FLOAT", "tensors of strings"},
    {"test_identity_sequence", "sequences of tensors"},
    {"test_identity_opt", "optional tensors"},
};

std::string_view exception_of(const std::string& name) {
  for (const Exception& e : kExceptions)
    if (name.starts_with(e.prefix)) return e.reason;
  return {};
}

// Empty when all operators are ours, else the first foreign one.
std::string foreign_operator(const fs::path& model) {
  for (const std::string& op : onnx_operators(model))
    if (op != "Constant" && find_op(op == "Upsample" ? "Resize" : op) == nullptr) return op;
  return {};
}

std::vector<NamedTensor> read_set(const fs::path& folder, const std::string& stem) {
  std::vector<NamedTensor> tensors;
  for (int i = 0;; ++i) {
    const fs::path path = folder / fmt::format("{}_{}.pb", stem, i);
    if (!fs::exists(path)) return tensors;
    tensors.push_back(read_onnx_tensor(path));
  }
}

bool close(double ours, double stored, double relative) {
  if (std::isnan(stored)) return std::isnan(ours);
  if (std::isinf(stored) || std::isinf(ours)) return ours == stored;
  return std::fabs(ours - stored) <= kAbsolute + relative * std::fabs(stored);
}

// The data of ONNX 1.12 cut off the low bits of bfloat16 where Cast rounds (corrected in later releases): one unit in
// the last of 8 bits.
double relative_tolerance(DType type) { return type == DType::bf16 ? 1.0 / 128 : kRelative; }

// Empty when they agree, else the first difference.
std::string difference(const Tensor& ours, const Tensor& stored) {
  if (ours.dtype() != stored.dtype() || ours.dims() != stored.dims())
    return fmt::format("{}{} instead of {}{}", dtype_name(ours.dtype()), to_string(ours.dims()),
                       dtype_name(stored.dtype()), to_string(stored.dims()));
  if (!is_float(stored.dtype())) {
    const auto a = to_int64s(ours), b = to_int64s(stored);
    for (std::size_t i = 0; i < a.size(); ++i)
      if (a[i] != b[i]) return fmt::format("element {} is {} instead of {}", i, a[i], b[i]);
    return {};
  }
  const Tensor wide = convert(ours, DType::f64), wanted = convert(stored, DType::f64);
  const auto a = wide.data<double>(), b = wanted.data<double>();
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!close(a[i], b[i], relative_tolerance(stored.dtype())))
      return fmt::format("element {} is {} instead of {}", i, a[i], b[i]);
  return {};
}

// NumPy has no bfloat16, so the files hold its bits as uint16.
Tensor stored_as(const Tensor& stored, DType type) {
  if (type != DType::bf16 || stored.dtype() != DType::u16) return stored;
  Tensor bits(DType::bf16, stored.dims());
  std::copy_n(stored.raw(), stored.bytes(), bits.raw());
  return bits;
}

// The stored inputs in the order of the graph's inputs: by name where the files carry the names, else by position.
std::vector<Tensor> arrange(const Graph& graph, const std::vector<NamedTensor>& stored) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
    const auto& [name, type] = std::tie(graph.value(graph.inputs()[i]).name, graph.value(graph.inputs()[i]).type);
    const auto by_name =
        std::find_if(stored.begin(), stored.end(), [&](const NamedTensor& t) { return t.name == name; });
    if (by_name != stored.end())
      inputs.push_back(stored_as(by_name->tensor, type.dtype));
    else if (i < stored.size())
      inputs.push_back(stored_as(stored[i].tensor, type.dtype));
    else
      throw Error("the test data has no input " + name);
  }
  return inputs;
}

// Some cases carry data of other shapes than their model declares; ONNX's runner does not mind, and the data rule.
void adopt_shapes(Graph& graph, const std::vector<Tensor>& inputs) {
  bool adopted = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    TensorType& type = graph.value(graph.inputs()[i]).type;
    const bool fits = type.shape && is_static(*type.shape) && to_dims(*type.shape) == inputs[i].dims();
    if (!fits) type.shape = to_shape(inputs[i].dims());
    adopted = adopted || !fits;
  }
  if (!adopted) return;
  graph.forget_types();
  infer_types(graph);
}

void check_run(Graph graph, const fs::path& data, ThreadPool& threads, ExecOptions options) {
  const std::vector<Tensor> inputs = arrange(graph, read_set(data, "input"));
  const std::vector<NamedTensor> stored = read_set(data, "output");
  adopt_shapes(graph, inputs);
  Executor executor(graph, threads, options);
  const std::vector<Tensor> outputs = executor.run(inputs);
  if (stored.empty() || stored.size() > outputs.size()) throw Error("the test data and the model differ in outputs");
  for (std::size_t i = 0; i < stored.size(); ++i)
    if (const std::string text = difference(outputs[i], stored_as(stored[i].tensor, outputs[i].dtype())); !text.empty())
      throw Error(fmt::format("output {}: {}", i, text));
}

void check_case(const fs::path& folder, ThreadPool& threads) {
  const Graph graph = read_onnx(folder / "model.onnx");
  const Graph again = read_onnx_bytes(write_onnx_bytes(graph), {}, "the model as written by us");
  int sets = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    check_run(graph, entry.path(), threads, {.fuse = true});
    check_run(graph, entry.path(), threads, {.fuse = false});
    check_run(again, entry.path(), threads, {.fuse = true});
    ++sets;
  }
  if (sets == 0) throw Error("the case has no test data");
}

struct Totals {
  int passed = 0, failed = 0, skipped = 0;
  std::map<std::string, int> foreign;
};

void run_case(const fs::path& folder, ThreadPool& threads, Totals& totals) {
  const std::string name = folder.parent_path().filename().string() + "/" + folder.filename().string();
  if (!fs::exists(folder / "model.onnx")) {  // "real" names models on the web
    ++totals.foreign["(no model in the package)"];
    ++totals.skipped;
    return;
  }
  const std::string foreign = foreign_operator(folder / "model.onnx");
  const std::string_view exception = exception_of(folder.filename().string());
  if (!foreign.empty() || !exception.empty()) {
    if (foreign.empty()) std::printf("except %s: %s\n", name.c_str(), std::string(exception).c_str());
    ++totals.foreign[foreign.empty() ? "(" + std::string(exception) + ")" : foreign];
    ++totals.skipped;
    return;
  }
  try {
    check_case(folder, threads);
    ++totals.passed;
  } catch (const std::exception& error) {
    std::printf("FAIL   %s: %s\n", name.c_str(), error.what());
    ++totals.failed;
  }
}

std::set<fs::path> cases_below(const fs::path& root) {
  std::set<fs::path> cases;
  for (const auto& group : fs::directory_iterator(root))
    if (group.is_directory())
      for (const auto& entry : fs::directory_iterator(group.path())) cases.insert(entry.path());
  return cases;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !fs::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: tinyml_conformance FOLDER   (libonnx-testdata: /usr/share/libonnx-testdata/data)\n");
    return 2;
  }
  ThreadPool threads(1);
  Totals totals;
  for (const fs::path& folder : cases_below(argv[1])) run_case(folder, threads, totals);
  std::printf("\nskipped for an operator, a type or a mode that is not ours:");
  for (const auto& [op, count] : totals.foreign) std::printf(" %s %d,", op.c_str(), count);
  std::printf("\n%s",
              totals.passed < kLeastPassed ? fmt::format("expected at least {} to pass\n", kLeastPassed).c_str() : "");
  std::printf("%d passed, %d failed, %d skipped\n", totals.passed, totals.failed, totals.skipped);
  return totals.failed == 0 && totals.passed >= kLeastPassed ? 0 : 1;
}
