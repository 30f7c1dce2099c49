// inspect: describes a model.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/device_arguments.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "formats/report/describe.h"
#include "formats/report/memory_map.h"
#include "lib/device/lower.h"
#include "lib/support/atomic_file.h"

namespace tinyml {
namespace {

struct Options {
  std::string model, memory_map;
  DeviceArguments device;
  DeviceBounds bounds;
  std::optional<double> clock_mhz;
  bool needs_device() const { return bounds.any() || !memory_map.empty() || clock_mhz || device.fast_ram; }
};

std::string title_of(const ModelSummary& summary, const DeviceCost& cost) {
  return "Memory of " + (summary.name.empty() ? "the model" : summary.name) + " on " + cost.target;
}

void check_clock(const Options& options, Target target) {
  if (!options.clock_mhz) return;
  if (!(*options.clock_mhz > 0 && *options.clock_mhz < 1e5))
    throw Error("--clock-mhz must be above 0 and below 100000", "for example --clock-mhz 120", ExitCode::usage);
  if (target != Target::cortex_m4 && target != Target::cortex_m7)
    throw Error(fmt::format("no cycles are estimated for {}", target_name(target)),
                "--clock-mhz goes with --target cortex-m4 or cortex-m7", ExitCode::usage);
}

ExitCode inspect(const Options& options, const Session& session) {
  const LowerOptions lowering = lower_options(options.device, options.bounds);
  check_stdout(session, options.memory_map == "-");
  check_keeps({options.model}, session.json, "--json");
  check_keeps({options.model}, options.memory_map, "--memory-map");
  check_clock(options, lowering.target);
  const Graph graph = read_onnx(options.model);
  const ModelSummary summary = summarize(graph);
  nlohmann::ordered_json report = to_json(summary);
  std::string text = to_text(summary);
  if (!summary.quantized) {
    if (options.needs_device())
      throw Error("the model is not quantized: what the device needs is not known",
                  "quantize it first: tinyml-opt quantize")
          .in_file(options.model);
    deliver(session, report, text);
    return ExitCode::ok;
  }
  FileSet files;
  std::optional<DeviceCost> cost;
  try {
    const Program program = lower(graph, lowering);
    cost = device_cost(program);
    cost->clock_mhz = options.clock_mhz.value_or(0);
    report["device"] = to_json(*cost);
    report["device"]["memory"] = memory_to_json(program);
    text += "\n" + to_text(*cost) + "\n" + layers_to_text(*cost);
    if (!options.memory_map.empty()) {
      text += "\n" + memory_to_text(program);
      files.add_elsewhere(options.memory_map, memory_to_svg(program, title_of(summary, *cost)));
    }
  } catch (Error& error) {  // a model that no device runs is described all the same
    if (options.needs_device() || error.kind() == ExitCode::internal) {
      error.in_file(options.model);
      throw;
    }
    report["device"] = {{"target", target_name(lowering.target)}, {"error", error.what()}};
    text += std::string("\ndevice    not possible: ") + error.what() + "\n";
  }
  deliver(session, report, text, files, options.memory_map == "-");
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
  command->add_option("--memory-map", options->memory_map, "Draw the plan of the working memory (SVG)")
      ->type_name("FILE")
      ->check(check_name, "", "");
  command
      ->add_option("--clock-mhz", options->clock_mhz,
                   "Show the estimated cycles of cortex-m4 and cortex-m7 as time at this clock, layer by layer")
      ->type_name("MHZ");
  command->callback([options, &session] { session.run = [options, &session] { return inspect(*options, session); }; });
}

}  // namespace tinyml
