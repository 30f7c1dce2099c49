// Throughput of the float executor on one ONNX model with random inputs, as one JSON object on stdout.
//   bench_float MODEL [BATCH=1] [THREADS=1] [SECONDS=1] [--plain]
// Runs for about SECONDS after a warm-up, in rounds of half a millisecond or one execution; the median round counts,
// and the best is what a busy machine leaves undisturbed. --plain: evaluation node by node. benchmarks/bench_float.py
// alternates it with ONNX Runtime.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
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

struct Seconds {
  double wall, cpu;  // cpu: of all threads, waiting ones included; with one thread it holds on a busy machine too
};

Seconds seconds_of(Executor& executor, const std::vector<Tensor>& inputs, int repeats) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  for (int i = 0; i < repeats; ++i) (void)executor.run(inputs);
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / repeats,
          static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC / repeats};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
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
  constexpr double kRound = 5e-4;
  const double once = std::max(1e-7, seconds_of(executor, inputs, 10).wall);
  const int repeats = std::max(1, static_cast<int>(kRound / once));
  const int rounds = std::max(10, static_cast<int>(number(4, 1) / once / repeats));
  std::vector<double> wall, cpu;
  for (int i = 0; i < rounds; ++i) {
    const Seconds s = seconds_of(executor, inputs, repeats);
    wall.push_back(s.wall);
    cpu.push_back(s.cpu);
  }
  std::printf(
      "{\"kernels\": \"%s\", \"batch\": %d, \"threads\": %u, \"microseconds\": %.2f, \"best_microseconds\": %.2f, "
      "\"cpu_microseconds\": %.2f, \"samples_per_second\": %.1f}\n",
      math::kernels().name, static_cast<int>(batch), threads, median(wall) * 1e6,
      *std::min_element(wall.begin(), wall.end()) * 1e6, median(cpu) * 1e6, static_cast<double>(batch) / median(wall));
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
