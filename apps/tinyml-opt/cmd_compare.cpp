// compare: runs two forms of a model on the same data and explains where they part.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/data_arguments.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "formats/report/differences.h"
#include "lib/exec/compare.h"
#include "lib/support/progress.h"
#include "passes/runner.h"

namespace tinyml {
namespace {

struct Options {
  std::string reference, other;
  DataArguments data;
  std::size_t layers = 20;
};

// The same clean-up for both, so that a folded layer meets its folded counterpart.
Graph read_clean(const std::string& path, const PassContext& context) {
  Graph graph = read_onnx(path);
  run_to_fixpoint(graph, cleanup_passes(), context);
  return graph;
}

ExitCode compare(const Options& options, const Session& session) {
  ThreadPool threads(session.threads);
  const Graph a = read_clean(options.reference, {threads, session.seed});
  const Graph b = read_clean(options.other, {threads, session.seed});
  ModelData data_a = open_model_data(a, options.data);
  ModelData data_b(b, options.data.data, options.data.options);
  Comparison comparison(a, b, threads);
  // Every layer's output is held for a batch.
  constexpr std::size_t kBatch = 4;
  const std::size_t size = batch_of(a).value_or(batch_of(b).value_or(kBatch));
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
  deliver(session, json, to_text(report, options.layers));
  return ExitCode::ok;
}

}  // namespace

void add_compare(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, session, "compare", "Explain layer by layer how two forms of a model differ",
                                  "compare model.onnx model_int8.onnx --data x.npy");
  command->add_option("A", options->reference, "The reference, usually the float model")->required();
  command->add_option("B", options->other, "The other form, usually the int8 model")->required();
  add_data_option(*command, options->data, "--data", "Samples", true);
  add_preprocessing_options(*command, options->data.options);
  command->add_option("--samples", options->data.options.limit, "Use only the first N samples")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40U).description(""));
  command->add_option("--layers", options->layers, "How many layers to show; all are in --json")->type_name("N");
  command->callback([options, &session] { session.run = [options, &session] { return compare(*options, session); }; });
}

}  // namespace tinyml
