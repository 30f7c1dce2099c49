// The three ways to execute a model, behind one face: float, QDQ (float with every value rounded to its grid), and the
// device's Program on the C kernels.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/data/model_data.h"
#include "lib/ir/graph.h"
#include "lib/support/error.h"
#include "lib/support/threads.h"

namespace CLI {
class App;
}

namespace tinyml {

struct EngineArguments {
  std::string engine;     // empty: device for a quantized model, else float
  std::size_t batch = 0;  // 0: chosen
  bool raw = false;       // integers of the device's outputs as they are
};

void add_engine_options(CLI::App& command, EngineArguments& arguments);

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::vector<Tensor> run(std::span<const Tensor> inputs) = 0;
  virtual std::string name() const = 0;
};

// No device runs the model.
class DeviceError : public Error {
 public:
  using Error::Error;
};

// Throws Error, naming the model's file, when this model cannot be run so.
std::unique_ptr<Engine> make_engine(const Graph& graph, const EngineArguments& arguments, ThreadPool& threads,
                                    const std::string& file);

// Runs one batch; fewer samples than a fixed batch are filled up, and the outputs cut again.
std::vector<Tensor> run_batch(Engine& engine, const Graph& graph, const std::vector<Tensor>& inputs);

// Feeds all samples through in batches; `take` gets each batch of outputs in order, with the inputs that made them.
// Returns the seconds of execution alone.
struct Batch {
  std::size_t first = 0, count = 0;
  std::vector<Tensor> inputs, outputs;
};
double run_all(Engine& engine, const Graph& graph, ModelData& data, const EngineArguments& arguments,
               const std::function<void(const Batch&)>& take);

}  // namespace tinyml
