// run: executes a model on data and writes its outputs as .npy.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/data_arguments.h"
#include "apps/tinyml-opt/engine.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "lib/support/atomic_file.h"

namespace tinyml {
namespace {

struct Options {
  std::string model, output, output_dir;
  DataArguments data;
  EngineArguments engine;
  unsigned repeat = 1;
};

// Outputs of all samples, put together batch by batch.
class Collector {
 public:
  explicit Collector(std::size_t samples) : samples_(samples) {}
  void add(const Batch& batch) {
    outputs_.resize(batch.outputs.size());
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const Tensor& part = batch.outputs[i];
      Dims dims = part.dims();
      dims[0] = static_cast<std::int64_t>(samples_);
      if (batch.first == 0) outputs_[i] = Tensor(part.dtype(), dims);
      if (outputs_[i].dims() != dims)
        throw Error("outputs of different shapes: " + to_string(dims) + " after " + to_string(outputs_[i].dims()),
                    "the model's output depends on its data; run samples alone");
      std::memcpy(outputs_[i].raw() + batch.first * (part.bytes() / batch.count), part.raw(), part.bytes());
    }
  }
  const std::vector<Tensor>& outputs() const { return outputs_; }

 private:
  std::size_t samples_;
  std::vector<Tensor> outputs_;
};

// Names of values may hold slashes and worse.
std::string file_stem(const std::string& value) {
  std::string out;
  for (const char c : value) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    out += plain ? c : '_';
  }
  return out.empty() || out[0] == '.' ? "_" + out : out;
}

// One for each output; what would be called alike is numbered.
std::vector<std::string> file_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId id : graph.outputs()) {
    const std::string stem = file_stem(graph.value(id).name);
    std::string name = stem + ".npy";
    for (int n = 2; std::find(names.begin(), names.end(), name) != names.end(); ++n)
      name = fmt::format("{}_{}.npy", stem, n);
    names.push_back(name);
  }
  return names;
}

void check_outputs(const Options& options, const Graph& graph) {
  if (!options.output_dir.empty())
    for (const std::string& file : file_names(graph))
      check_keeps(files_of({options.model}, options.data), options.output_dir + "/" + file, "--output-dir");
  if (!options.output.empty() && graph.outputs().size() > 1)
    throw Error("the model has " + std::to_string(graph.outputs().size()) + " outputs",
                "give --output-dir DIR, which takes one file for each", ExitCode::usage);
}

// Returns the names.
std::vector<std::string> stage_outputs(const Options& options, const Graph& graph, const std::vector<Tensor>& outputs,
                                       FileSet& files) {
  if (!options.output.empty()) {
    files.add_elsewhere(options.output, npy_bytes(outputs.at(0)));
    return {options.output};
  }
  if (options.output_dir.empty()) return {};
  std::vector<std::string> names = file_names(graph);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    files.add(names[i], npy_bytes(outputs[i]));
    names[i] = options.output_dir + "/" + names[i];
  }
  return names;
}

ExitCode run(const Options& options, const Session& session) {
  check_stdout(session, options.output == "-");
  const std::vector<std::string> inputs = files_of({options.model}, options.data);
  check_keeps(inputs, session.json, "--json");
  check_keeps(inputs, options.output, "--output");
  ThreadPool threads(session.threads);
  const Graph graph = read_model(options.model, session);
  check_outputs(options, graph);
  ModelData data = open_model_data(graph, options.data);
  const auto engine = make_engine(graph, options.engine, threads, options.model);
  Collector collector(data.samples());
  const auto collect = [&](const Batch& batch) { collector.add(batch); };
  const auto ignore = [](const Batch&) {};
  double seconds = run_all(*engine, graph, data, options.engine, collect);
  double best = seconds;
  // With --repeat, the first pass above was the warm-up.
  for (unsigned i = 0; i < options.repeat && options.repeat > 1; ++i) {
    const double once = run_all(*engine, graph, data, options.engine, ignore);
    best = i == 0 ? once : std::min(best, once);
    seconds = i == 0 ? once : seconds + once;
  }
  seconds /= options.repeat;
  FileSet set(options.output_dir);
  const auto files = stage_outputs(options, graph, collector.outputs(), set);

  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  std::string text = fmt::format("{} samples in {:.3f} s ({:.1f} samples/s), engine {}\n", data.samples(), seconds,
                                 static_cast<double>(data.samples()) / std::max(seconds, 1e-9), engine->name());
  for (std::size_t i = 0; i < collector.outputs().size(); ++i) {
    const Tensor& t = collector.outputs()[i];
    const std::string& name = graph.value(graph.outputs()[i]).name;
    outputs.push_back({{"name", name}, {"shape", t.dims()}, {"type", dtype_name(t.dtype())}});
    text += fmt::format("output {} {} {}{}\n", printable(name), dtype_name(t.dtype()), to_string(t.dims()),
                        i < files.size() ? " -> " + files[i] : "");
  }
  deliver(session,
          {{"samples", data.samples()},
           {"seconds", seconds},
           {"seconds_best", best},
           {"repeat", options.repeat},
           {"engine", engine->name()},
           {"threads", threads.size()},
           {"outputs", outputs},
           {"input_range", ranges_json(data)}},
          text, set, options.output == "-");
  return ExitCode::ok;
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, session, "run", "Execute a model on data and write its outputs",
                                  "run model.onnx --data x.npy --output y.npy");
  command->add_option("MODEL", options->model, "ONNX file; '-' is stdin")->required();
  add_data_option(*command, options->data, "--data", "Samples", true);
  add_preprocessing_options(*command, options->data.options);
  command->add_option("--samples", options->data.options.limit, "Use only the first N samples")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40U).description(""));
  auto* output = command->add_option("-o,--output", options->output, "The output's .npy; '-' is stdout")
                     ->type_name("FILE")
                     ->check(check_name, "", "");
  command->add_option("--output-dir", options->output_dir, "Folder for one <name>.npy for each output")
      ->type_name("DIR")
      ->check(check_name, "", "")
      ->excludes(output);
  add_engine_options(*command, options->engine);
  command->add_flag("--raw", options->engine.raw, "Write the device's integers instead of real values");
  command->add_option("--repeat", options->repeat, "Time N passes, after one that warms up; seconds is their mean")
      ->type_name("N")
      ->check(CLI::Range(1U, 1000000U).description(""));
  command->callback([options, &session] { session.run = [options, &session] { return run(*options, session); }; });
}

}  // namespace tinyml
