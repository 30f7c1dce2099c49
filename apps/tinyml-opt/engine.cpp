// A model with a fixed batch is fed that many samples at a time; the last batch is filled up and cut again.
#include "apps/tinyml-opt/engine.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstring>

#include "formats/report/describe.h"
#include "lib/device/lower.h"
#include "lib/device/simulate.h"
#include "lib/exec/executor.h"
#include "lib/exec/footprint.h"
#include "lib/support/error.h"
#include "lib/support/memory.h"
#include "lib/support/progress.h"

namespace tinyml {
namespace {

class FloatEngine final : public Engine {
 public:
  FloatEngine(const Graph& graph, bool quantized, ThreadPool& threads)
      : quantized_(quantized), executor_(graph, threads, {.fake_quantize = quantized}) {}
  std::vector<Tensor> run(std::span<const Tensor> inputs) override { return executor_.run(inputs); }
  std::string name() const override { return quantized_ ? "qdq" : "float"; }

 private:
  bool quantized_;
  Executor executor_;
};

class DeviceEngine final : public Engine {
 public:
  DeviceEngine(const Graph& graph, bool raw, ThreadPool& threads)
      : program_(lower(graph)), raw_(raw), threads_(threads) {}
  std::vector<Tensor> run(std::span<const Tensor> inputs) override {
    return simulate_batch(program_, inputs, threads_, raw_);
  }
  std::string name() const override { return "device"; }

 private:
  Program program_;
  bool raw_;
  ThreadPool& threads_;
};

// The first `count` samples, or these and copies of the last one.
Tensor resized(const Tensor& batch, std::size_t count) {
  Dims dims = batch.dims();
  if (dims.empty() || dims[0] == static_cast<std::int64_t>(count)) return batch;
  const auto present = static_cast<std::size_t>(dims[0]);
  if (present == 0) throw Error("an output without samples", "the model drops its batch dimension");
  const std::size_t bytes = batch.bytes() / present;
  dims[0] = static_cast<std::int64_t>(count);
  Tensor out(batch.dtype(), dims);
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(out.raw() + i * bytes, batch.raw() + std::min(i, present - 1) * bytes, bytes);
  return out;
}

void check_batch_dimension(const std::vector<Tensor>& outputs, std::size_t count) {
  for (const Tensor& t : outputs)
    if (t.rank() == 0 || t.dims()[0] != static_cast<std::int64_t>(count))
      throw Error("an output of shape " + to_string(t.dims()) + " for " + std::to_string(count) + " samples",
                  "its first dimension must be the samples; try --batch 1");
}

std::size_t batch_size(const Graph& graph, const EngineArguments& arguments) {
  const auto fixed = batch_of(graph);
  if (fixed && *fixed == 0) throw Error("the model's batch is 0", "export it with a symbolic batch or 1");
  // Large enough to spread over threads, small enough that activations stay in the cache.
  constexpr std::size_t kBatch = 32;
  if (!fixed) return arguments.batch != 0 ? arguments.batch : fitting_batch(footprint(graph).peak, kBatch);
  if (arguments.batch != 0 && arguments.batch != *fixed)
    throw Error("the model's batch is fixed at " + std::to_string(*fixed), "leave --batch out", ExitCode::usage);
  return *fixed;
}

// A model that no device runs, such as one with nodes that stayed in float, still executes on this machine.
std::unique_ptr<Engine> make_device_engine(const Graph& graph, const EngineArguments& arguments, ThreadPool& threads) {
  try {
    return std::make_unique<DeviceEngine>(graph, arguments.raw, threads);
  } catch (const MemoryError&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() == ExitCode::internal) throw;
    throw DeviceError(std::string("the device cannot run this model: ") + error.what(),
                      "--engine qdq runs it here, in float rounded to the integer grid");
  }
}

}  // namespace

void add_engine_options(CLI::App& command, EngineArguments& arguments) {
  command
      .add_option("--engine", arguments.engine,
                  "float, qdq (float rounded to the integer grid) or device (the C kernels); device for int8 models")
      ->check(CLI::IsMember({"float", "device", "qdq"}).description(""))
      ->type_name("float|device|qdq");
  command.add_option("--batch", arguments.batch, "Samples to run at a time")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20U).description(""));
}

std::unique_ptr<Engine> make_engine(const Graph& graph, const EngineArguments& arguments, ThreadPool& threads,
                                    const std::string& file) try {
  const bool quantized = is_quantized(graph);
  const std::string name = !arguments.engine.empty() ? arguments.engine : quantized ? "device" : "float";
  if (name != "float" && !quantized)
    throw Error("the model is not quantized, so that --engine " + name + " cannot run it",
                "quantize it first: tinyml-opt quantize");
  if (arguments.raw && name != "device")
    throw Error("--raw needs --engine device", "other engines compute in float", ExitCode::usage);
  if (name == "device") return make_device_engine(graph, arguments, threads);
  return std::make_unique<FloatEngine>(graph, name == "qdq", threads);
} catch (Error& error) {
  if (error.kind() != ExitCode::usage) error.in_file(file);
  throw;
}

std::vector<Tensor> run_batch(Engine& engine, const Graph& graph, const std::vector<Tensor>& inputs) {
  const auto count = static_cast<std::size_t>(inputs.at(0).dims().at(0));
  const auto fixed = batch_of(graph);
  const bool padded = fixed && count < *fixed;
  std::vector<Tensor> full;
  if (padded)
    for (const Tensor& t : inputs) full.push_back(resized(t, *fixed));
  std::vector<Tensor> outputs = engine.run(padded ? full : inputs);
  check_batch_dimension(outputs, padded ? *fixed : count);
  if (padded)
    for (Tensor& t : outputs) t = resized(t, count);
  return outputs;
}

double run_all(Engine& engine, const Graph& graph, ModelData& data, const EngineArguments& arguments,
               const std::function<void(const Batch&)>& take) {
  using Clock = std::chrono::steady_clock;
  const std::size_t size = batch_size(graph, arguments);
  Progress progress("running");
  Clock::duration spent{};
  for (std::size_t first = 0; first < data.samples(); first += size) {
    Batch batch{first, std::min(size, data.samples() - first), {}, {}};
    batch.inputs = data.read(first, batch.count);
    const auto start = Clock::now();
    batch.outputs = run_batch(engine, graph, batch.inputs);
    spent += Clock::now() - start;
    take(batch);
    progress.update(first + batch.count, data.samples());
  }
  return std::chrono::duration<double>(spent).count();
}

}  // namespace tinyml
