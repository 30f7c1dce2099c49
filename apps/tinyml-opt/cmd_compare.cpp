// compare: runs two forms of a model on the same data and explains where they part, layer by layer; or, with engines
// named or outputs of another runtime in a file, how far their outputs are apart.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/data_arguments.h"
#include "apps/tinyml-opt/engine.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "formats/report/differences.h"
#include "lib/exec/compare.h"
#include "lib/exec/footprint.h"
#include "lib/support/progress.h"
#include "passes/runner.h"

namespace tinyml {
namespace {

struct Options {
  std::string reference, other, engine_a, engine_b;
  DataArguments data;
  std::optional<std::size_t> layers;
};

constexpr std::size_t kShownLayers = 20;

// The same clean-up for both, so that a folded layer meets its folded counterpart.
Graph read_clean(const std::string& path, const Session& session, const PassContext& context) {
  Graph graph = read_model(path, session);
  run_to_fixpoint(graph, cleanup_passes(), context);
  return graph;
}

bool is_file_of_outputs(const std::string& path) {
  return path.ends_with(".npy") || path.ends_with(".npz") || path.find(".npz:") != path.npos;
}

// The outputs of A: executed, or read from a file.
class Reference {
 public:
  Reference(const Options& options, const Graph& other, const Session& session, ThreadPool& threads) {
    if (is_file_of_outputs(options.reference)) {
      TensorType type = other.value(other.outputs().at(0)).type;
      type.dtype = DType::f32;
      file_ = open_data(options.reference, type, {});
      return;
    }
    graph_.emplace(read_model(options.reference, session));
    data_.emplace(*graph_, options.data.data, options.data.options);
    engine_ = make_engine(*graph_, {options.engine_a}, threads, options.reference);
  }
  Tensor output(std::size_t first, std::size_t count) {
    if (file_) return file_->read(first, count);
    return run_batch(*engine_, *graph_, data_->read(first, count)).at(0);
  }
  std::size_t batch() const { return graph_ ? batch_of(*graph_).value_or(0) : 0; }
  std::string name() const { return file_ ? "file" : engine_->name(); }
  std::size_t samples() const { return file_ ? file_->samples() : data_->samples(); }

 private:
  std::unique_ptr<DataSource> file_;
  std::optional<Graph> graph_;
  std::optional<ModelData> data_;
  std::unique_ptr<Engine> engine_;
};

ExitCode compare_outputs(const Options& options, const Session& session) {
  if (options.layers)
    throw Error("--layers, but only outputs are compared with engines or a file of outputs",
                "leave it out, or compare two models", ExitCode::usage);
  if (is_file_of_outputs(options.reference) && !options.engine_a.empty())
    throw Error("--engine-a, but A is a file of outputs", "leave it out, or give a model", ExitCode::usage);
  ThreadPool threads(session.threads);
  const Graph other = read_model(options.other, session);
  Reference reference(options, other, session, threads);
  ModelData data = open_model_data(other, options.data);
  const bool first_ones = options.data.options.limit != 0 && reference.samples() > data.samples();
  if (reference.samples() != data.samples() && !first_ones)
    throw Error(fmt::format("{} reference outputs for {} samples", reference.samples(), data.samples()),
                "give one for each")
        .in_file(options.reference);
  const EngineArguments how{options.engine_b, batch_of(other) ? 0 : reference.batch()};
  const auto engine = make_engine(other, how, threads, options.other);
  OutputComparison comparison(other);
  run_all(*engine, other, data, how,
          [&](const Batch& batch) { comparison.add(reference.output(batch.first, batch.count), batch.outputs.at(0)); });
  const OutputReport report = comparison.finish();
  nlohmann::ordered_json json = to_json(report);
  json["engine_a"] = reference.name();
  json["engine_b"] = engine->name();
  json["input_range"] = ranges_json(data);
  deliver(session, json, fmt::format("{} against {}\n", reference.name(), engine->name()) + to_text(report));
  return ExitCode::ok;
}

ExitCode compare(const Options& options, const Session& session) {
  check_keeps(files_of({options.reference, options.other}, options.data), session.json, "--json");
  if (!options.engine_a.empty() || !options.engine_b.empty() || is_file_of_outputs(options.reference))
    return compare_outputs(options, session);
  ThreadPool threads(session.threads);
  const Graph a = read_clean(options.reference, session, {threads, session.seed});
  const Graph b = read_clean(options.other, session, {threads, session.seed});
  ModelData data_a = open_model_data(a, options.data);
  ModelData data_b(b, options.data.data, options.data.options);
  Comparison comparison(a, b, threads);
  // Every layer's output is held for a batch.
  constexpr std::size_t kBatch = 4;
  const std::size_t size = batch_of(a).value_or(batch_of(b).value_or(fitting_batch(footprint(a).all, kBatch)));
  const bool fixed = batch_of(a) || batch_of(b);
  Progress progress("comparing");
  std::size_t done = 0;
  for (; done < data_a.samples(); done += size) {
    const std::size_t count = std::min(size, data_a.samples() - done);
    if (fixed && count < size) break;
    comparison.add(data_a.read(done, count), data_b.read(done, count));
    progress.update(done + count, data_a.samples());
  }
  if (done == 0) throw Error("fewer samples than the model's fixed batch of " + std::to_string(size));
  const ComparisonReport report = comparison.finish();
  nlohmann::ordered_json json = to_json(report);
  json["input_range"] = ranges_json(data_a);
  deliver(session, json, to_text(report, options.layers.value_or(kShownLayers)));
  return ExitCode::ok;
}

}  // namespace

void add_compare(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, session, "compare", "Explain layer by layer how two forms of a model differ",
                                  "compare model.onnx model_int8.onnx --data x.npy");
  command->add_option("A", options->reference, "The reference, usually the float model; or a .npy of outputs")
      ->required();
  command->add_option("B", options->other, "The other form, usually the int8 model")->required();
  add_data_option(*command, options->data, "--data", "Samples", true);
  add_preprocessing_options(*command, options->data.options);
  command->add_option("--samples", options->data.options.limit, "Use only the first N samples")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40U).description(""));
  const auto add_engine = [&](const std::string& name, std::string& engine, const std::string& which) {
    command->add_option(name, engine, "Compare outputs alone, with " + which + " run by this engine")
        ->check(CLI::IsMember({"float", "device", "qdq"}).description(""))
        ->type_name("float|device|qdq");
  };
  add_engine("--engine-a", options->engine_a, "A");
  add_engine("--engine-b", options->engine_b, "B");
  command->add_option("--layers", options->layers, "How many layers to show, 20 if not given; all are in --json")
      ->type_name("N");
  command->callback([options, &session] { session.run = [options, &session] { return compare(*options, session); }; });
}

}  // namespace tinyml
