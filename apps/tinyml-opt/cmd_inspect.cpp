// inspect: describes a model.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/device_arguments.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "formats/report/describe.h"
#include "lib/device/lower.h"

namespace tinyml {
namespace {

struct Options {
  std::string model;
  DeviceArguments device;
  DeviceBounds bounds;
};

ExitCode inspect(const Options& options, const Session& session) {
  const LowerOptions lowering = lower_options(options.device);
  const Graph graph = read_onnx(options.model);
  const ModelSummary summary = summarize(graph);
  nlohmann::ordered_json report = to_json(summary);
  std::string text = to_text(summary);
  if (!summary.quantized) {
    if (options.bounds.any())
      throw Error("the model is not quantized: what the device needs is not known",
                  "quantize it first: tinyml-opt quantize");
    deliver(session, report, text);
    return ExitCode::ok;
  }
  std::optional<DeviceCost> cost;
  try {
    cost = device_cost(lower(graph, lowering));
    report["device"] = to_json(*cost);
    text += "\n" + to_text(*cost);
  } catch (const Error& error) {  // a model that no device runs is described all the same
    if (options.bounds.any() || error.kind() == ExitCode::internal) throw;
    report["device"] = {{"target", target_name(lowering.target)}, {"error", error.what()}};
    text += std::string("\ndevice    not possible: ") + error.what() + "\n";
  }
  deliver(session, report, text);
  if (cost) check_bounds(*cost, options.bounds);
  return ExitCode::ok;
}

}  // namespace

void add_inspect(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, session, "inspect", "Describe a model: layers, shapes, MACs, bytes", "inspect model.onnx");
  command->add_option("MODEL", options->model, "ONNX file; '-' is stdin")->required();
  add_target_options(*command, options->device);
  add_bound_options(*command, options->bounds);
  command->callback([options, &session] { session.run = [options, &session] { return inspect(*options, session); }; });
}

}  // namespace tinyml
