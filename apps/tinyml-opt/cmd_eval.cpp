// eval: accuracy of a classifier, or the errors of another model.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/data_arguments.h"
#include "apps/tinyml-opt/engine.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "formats/report/accuracy.h"

namespace tinyml {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string model, metric = "top1", target;
  DataArguments data;
  EngineArguments engine;
  std::optional<std::size_t> topk;
};

constexpr std::size_t kTopK = 5;

struct Evaluation {
  ordered_json json;
  std::string text;
};

Evaluation classify(const Options& options, const Graph& graph, Engine& engine, ModelData& data, double& seconds) {
  const auto labels = labels_for(options.data, data);
  Classification result(options.topk.value_or(kTopK));
  seconds = run_all(engine, graph, data, options.engine, [&](const Batch& batch) {
    result.add(batch.outputs.at(0), std::span(labels).subspan(batch.first, batch.count));
  });
  return {to_json(result), to_text(result)};
}

// The target is the input itself (reconstruction), or the file that --target names.
std::unique_ptr<DataSource> open_target(const Options& options, const Graph& graph) {
  if (options.target.empty()) return nullptr;
  TensorType type = graph.value(graph.outputs().at(0)).type;
  type.dtype = DType::f32;
  return open_data(options.target, type, {});
}

Evaluation measure_errors(const Options& options, const Graph& graph, Engine& engine, ModelData& data,
                          double& seconds) {
  const bool auc = options.metric == "auc";
  const auto labels = auc ? labels_for(options.data, data) : std::vector<std::int64_t>{};
  const auto target = open_target(options, graph);
  std::vector<double> errors;
  seconds = run_all(engine, graph, data, options.engine, [&](const Batch& batch) {
    const Tensor wanted = target ? target->read(batch.first, batch.count) : batch.inputs.at(0);
    if (!target && wanted.size() != batch.outputs.at(0).size())
      throw Error("the output " + to_string(batch.outputs[0].dims()) + " is no reconstruction of the input " +
                      to_string(wanted.dims()),
                  "give what it should be: --target FILE", ExitCode::usage);
    const auto part = squared_errors(batch.outputs.at(0), wanted);
    errors.insert(errors.end(), part.begin(), part.end());
  });
  const double mse = mean(errors);
  Evaluation out{{{"samples", errors.size()}, {"mse", mse}}, fmt::format("mean squared error {:.6g}\n", mse)};
  if (!auc) return out;
  const double area = area_under_curve(errors, labels);
  out.json["auc"] = area;
  out.text += fmt::format("area under the ROC curve {:.4f}\n", area);
  return out;
}

void check(const Options& options) {
  const bool counts = options.metric == "top1";
  if (counts && !options.target.empty())
    throw Error("--target is for --metric mse or auc", "give one of them, or leave it out", ExitCode::usage);
  if (!counts && options.topk) throw Error("--topk is for --metric top1", "leave one of them out", ExitCode::usage);
}

ExitCode eval(const Options& options, const Session& session) {
  check(options);
  check_keeps(files_of({options.model, options.target}, options.data), session.json, "--json");
  ThreadPool threads(session.threads);
  const Graph graph = read_model(options.model, session);
  ModelData data = open_model_data(graph, options.data);
  const auto engine = make_engine(graph, options.engine, threads, options.model);
  double seconds = 0;
  Evaluation result = options.metric == "top1" ? classify(options, graph, *engine, data, seconds)
                                               : measure_errors(options, graph, *engine, data, seconds);
  result.json["seconds"] = seconds;
  result.json["engine"] = engine->name();
  result.json["threads"] = threads.size();
  result.json["input_range"] = ranges_json(data);
  const std::string head = fmt::format("{} samples, engine {}, {:.3f} s\n", data.samples(), engine->name(), seconds);
  deliver(session, result.json, head + result.text);
  return ExitCode::ok;
}

}  // namespace

void add_eval(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, session, "eval", "Measure accuracy on labelled data",
                                  "eval model.onnx --data x.npy --labels y.npy");
  command->add_option("MODEL", options->model, "ONNX file; '-' is stdin")->required();
  add_data_option(*command, options->data, "--data", "Samples", true);
  add_labels_option(*command, options->data);
  add_preprocessing_options(*command, options->data.options);
  command->add_option("--samples", options->data.options.limit, "Use only the first N samples")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40U).description(""));
  command->add_option("--topk", options->topk, "Also count the label among the best K")
      ->type_name("K")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100000}).description(""));
  command
      ->add_option("--metric", options->metric,
                   "top1: classifier; mse: error against --target; auc: how well that error tells labels 0 and 1 apart")
      ->check(CLI::IsMember({"top1", "mse", "auc"}).description(""))
      ->type_name("top1|mse|auc");
  command->add_option("--target", options->target, "What the output should be; without it the input itself")
      ->type_name("PATH");
  add_engine_options(*command, options->engine);
  command->callback([options, &session] { session.run = [options, &session] { return eval(*options, session); }; });
}

}  // namespace tinyml
