// Throughput of the float executor on one ONNX model with random inputs, as one JSON object on stdout.
//   bench_float MODEL [BATCH=1] [THREADS=1] [SECONDS=1] [--plain]
// Runs for about SECONDS after a warm-up, in ten rounds; the median round counts. --plain: evaluation node by node.
// benchmarks/bench_float.py alternates it with ONNX Runtime.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "formats/onnx/onnx.h"
#include "lib/exec/executor.h"
#include "lib/math/kernels.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

using namespace tinyml;

namespace {

Tensor random_input(const Value& input, std::int64_t batch) {
  if (!input.type.shape) throw Error("the input has no shape");
  Dims dims;
  for (const Dim& d : *input.type.shape) dims.push_back(d.known() ? d.value : dims.empty() ? batch : 1);
  Tensor t(DType::f32, dims);
  std::mt19937 random(1);
  for (float& x : t.data<float>()) x = static_cast<float>(random() % 2001U) / 1000.0F - 1.0F;
  return t;
}

double seconds_of(Executor& executor, const std::vector<Tensor>& inputs, int repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) (void)executor.run(inputs);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int run(int argc, char** argv) {
  if (argc < 2) throw Error("usage: bench_float MODEL [BATCH] [THREADS] [SECONDS] [--plain]", {}, ExitCode::usage);
  const auto number = [&](int i, double fallback) {
    return argc > i && argv[i][0] != '-' ? std::atof(argv[i]) : fallback;
  };
  const auto batch = static_cast<std::int64_t>(number(2, 1));
  const auto threads = static_cast<unsigned>(number(3, 1));
  const bool plain = std::string(argv[argc - 1]) == "--plain";
  const Graph graph = read_onnx(argv[1]);
  ThreadPool pool(threads);
  Executor executor(graph, pool, {.fake_quantize = false, .fuse = !plain});
  std::vector<Tensor> inputs;
  for (const ValueId input : graph.inputs()) inputs.push_back(random_input(graph.value(input), batch));
  (void)seconds_of(executor, inputs, 3);
  constexpr int kRounds = 10;
  const double once = std::max(1e-7, seconds_of(executor, inputs, 3) / 3);
  const int repeats = std::max(1, static_cast<int>(number(4, 1) / kRounds / once));
  std::vector<double> rounds;
  for (int i = 0; i < kRounds; ++i) rounds.push_back(seconds_of(executor, inputs, repeats) / repeats);
  std::sort(rounds.begin(), rounds.end());
  const double median = rounds[kRounds / 2];
  std::printf(
      "{\"kernels\": \"%s\", \"batch\": %d, \"threads\": %u, \"microseconds\": %.2f, \"best_microseconds\": %.2f, "
      "\"samples_per_second\": %.1f}\n",
      math::kernels().name, static_cast<int>(batch), threads, median * 1e6, rounds[0] * 1e6,
      static_cast<double>(batch) / median);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.kind());
  }
}
