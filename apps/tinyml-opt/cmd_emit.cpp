// emit: a quantized model as C for the runtime, with golden vectors that prove it on the board.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>

#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/data_arguments.h"
#include "apps/tinyml-opt/device_arguments.h"
#include "apps/tinyml-opt/session.h"
#include "formats/csource/csource.h"
#include "formats/onnx/onnx.h"
#include "formats/report/describe.h"
#include "lib/device/lower.h"
#include "lib/device/simulate.h"
#include "lib/support/atomic_file.h"

namespace tinyml {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string model, output, name;
  DeviceArguments device;
  std::size_t golden = 0;
  bool bundle = false, trace = false, define_arena = false;
  DataArguments data;
  DeviceBounds bounds;
};

void check(const Options& options) {
  if (options.output.empty() || options.output == "-")
    throw Error("'" + options.output + "' is no folder", "name one: -o DIR", ExitCode::usage);
  if (options.golden != 0 && options.data.data.empty())
    throw Error("--golden needs --data", "give the samples that golden vectors are made of", ExitCode::usage);
  if (options.golden == 0 && !options.data.data.empty())
    throw Error("--data is for golden vectors", "say how many: --golden K", ExitCode::usage);
  if (options.golden == 0 && options.data.options.reads_otherwise())
    throw Error("--layout, --scale, --mean and --std are for golden vectors", "say how many: --golden K --data PATH",
                ExitCode::usage);
  if (options.trace && options.golden == 0)
    throw Error("--trace needs --golden", "ask for golden vectors: their layers are what it compares", ExitCode::usage);
}

// What the kernels compute for the first K samples, or K batches of a model whose batch is fixed, as the device holds
// it.
std::vector<GoldenVector> golden_vectors(const Options& options, const Graph& graph, const Program& program) {
  std::vector<GoldenVector> vectors;
  if (options.golden == 0) return vectors;
  const std::size_t batch = std::max<std::size_t>(batch_of(graph).value_or(1), 1), needed = options.golden * batch;
  DataArguments arguments = options.data;
  arguments.options.limit = needed;
  ModelData data = open_model_data(graph, arguments);
  if (data.samples() < needed)
    throw Error(fmt::format("--golden {}{}, but the data hold {} samples", options.golden,
                            batch == 1 ? "" : fmt::format(" of {} samples each", batch), data.samples()),
                "ask for fewer, or give more samples", ExitCode::usage);
  Simulator simulator(program);
  for (std::size_t i = 0; i < options.golden; ++i) {
    const std::vector<Tensor> sample = data.read(i * batch, batch);
    GoldenVector vector;
    for (std::size_t input = 0; input < sample.size(); ++input)
      vector.inputs.push_back(port_sample(sample[input], program.inputs[input], 0));
    vector.outputs =
        options.trace ? simulator.run_traced(vector.inputs, vector.checksums) : simulator.run(vector.inputs);
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

Program lower_file(const std::string& file, const Graph& graph, const LowerOptions& options) try {
  return lower(graph, options);
} catch (Error& error) {
  error.in_file(file);
  throw;
}

ordered_json operators_json(const Program& program) {
  ordered_json out = ordered_json::array();
  for (const ProgramStep& step : program.steps)
    out.push_back({{"name", step.name}, {"op", step.op}, {"kernel", step.kernel}, {"macs", step.macs}});
  return out;
}

ExitCode emit(const Options& options, const Session& session) {
  check(options);
  const std::vector<std::string> inputs = files_of({options.model}, options.data);
  check_keeps(inputs, session.json, "--json");
  const LowerOptions lowering = lower_options(options.device, options.bounds);
  const Graph graph = read_model(options.model, session);
  if (!is_quantized(graph))
    throw Error("the model is not quantized", "quantize it first: tinyml-opt quantize").in_file(options.model);
  const Program program = lower_file(options.model, graph, lowering);
  if (options.trace && program.steps.empty())
    throw Error("--trace, but the model has no layers", "leave --trace out", ExitCode::usage);
  const DeviceCost cost = device_cost(program);
  check_bounds(cost, options.bounds);

  const CSourceOptions source{.name = options.name,
                              .golden = golden_vectors(options, graph, program),
                              .bundle = options.bundle,
                              .define_arena = options.define_arena,
                              .trace = options.trace};
  FileSet files(options.output);
  std::vector<std::string> written;
  for (EmittedFile& file : emit_c(program, source)) {
    check_keeps(inputs, options.output + "/" + file.name, "--output");
    written.push_back(file.name);
    files.add(file.name, std::move(file.text));
  }

  ordered_json report = to_json(cost);
  report["golden_vectors"] = options.golden;
  report["files"] = written;
  report["operators"] = operators_json(program);
  std::string text = to_text(cost);
  for (const std::string& file : written) text += fmt::format("wrote     {}/{}\n", options.output, file);
  deliver(session, report, text, files);
  return ExitCode::ok;
}

}  // namespace

void add_emit(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, session, "emit", "Write an int8 model as C for microcontrollers",
                                  "emit model_int8.onnx -o firmware --name kws --golden 20 --data x.npy --bundle");
  command->add_option("MODEL", options->model, "Quantized ONNX file; '-' is stdin")->required();
  command->add_option("-o,--output", options->output, "Folder for the files; made if it is not there")
      ->type_name("DIR")
      ->required();
  command->add_option("--name", options->name, "Prefix of all names in C")->type_name("NAME")->required();
  add_target_options(*command, options->device);
  command->add_option("--golden", options->golden, "Add K golden vectors and a self-test, made from --data")
      ->type_name("K")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100000}).description(""));
  add_data_option(*command, options->data, "--data", "Samples for the golden vectors", false);
  add_preprocessing_options(*command, options->data.options);
  command->add_flag("--trace", options->trace,
                    "Add functions that check, time and guard the model layer by layer; needs --golden");
  command->add_flag("--define-arena", options->define_arena,
                    "Define the arena in NAME.c; the macro NAME_ARENA_SECTION places it");
  command->add_flag("--bundle", options->bundle, "Add the runtime's sources: the folder then compiles by itself");
  add_bound_options(*command, options->bounds);
  command->callback([options, &session] { session.run = [options, &session] { return emit(*options, session); }; });
}

}  // namespace tinyml
