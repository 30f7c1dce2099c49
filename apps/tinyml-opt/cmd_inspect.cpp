// inspect: describes a model.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "formats/report/describe.h"

namespace tinyml {
namespace {

struct Options {
  std::string model;
};

ExitCode inspect(const Options& options, const Session& session) {
  const Graph graph = read_onnx(options.model);
  const ModelSummary summary = summarize(graph);
  deliver(session, to_json(summary), to_text(summary));
  return ExitCode::ok;
}

}  // namespace

void add_inspect(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, session, "inspect", "Describe a model: layers, shapes, MACs, bytes", "inspect model.onnx");
  command->add_option("MODEL", options->model, "ONNX file; '-' is stdin")->required();
  command->callback([options, &session] { session.run = [options, &session] { return inspect(*options, session); }; });
}

}  // namespace tinyml
