// quantize: post-training quantization to int8 QDQ ONNX, with accuracy before and after and a bound on its loss.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/data_arguments.h"
#include "apps/tinyml-opt/engine.h"
#include "apps/tinyml-opt/int16_report.h"
#include "apps/tinyml-opt/passes_report.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "formats/report/table.h"
#include "lib/exec/metrics.h"
#include "lib/support/progress.h"
#include "passes/quantize/quantize.h"

namespace tinyml {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string model, output, method = "minmax", activations = "int8", rounding;
  DataArguments calib, test;
  bool per_tensor = false, bake = false;
  QuantizeOptions quantize;
  std::vector<std::string> print_after;
  std::optional<double> max_drop;  // points of top-1
  bool auto_bits = false;
  std::optional<double> min_sqnr, percentile;
  std::optional<int> weight_bits;
  bool uses_adaround() const {
    return rounding.empty() ? weight_bits == 4 || quantize.weights.codebook || auto_bits : rounding == "adaround";
  }
};

struct Accuracy {
  double top1_float = 0, top1_int8 = 0;
  std::size_t samples = 0;
  std::string engine;
  double drop_points() const { return 100 * (top1_float - top1_int8); }
};

double top1(const Graph& graph, const EngineArguments& how, const Options& options, ThreadPool& threads,
            std::string& engine_name) {
  ModelData data(graph, options.test.data, options.test.options);
  const auto labels = labels_for(options.test, data);
  const auto engine = make_engine(graph, how, threads, options.model);
  engine_name = engine->name();
  Classification result;
  run_all(*engine, graph, data, how, [&](const Batch& batch) {
    result.add(batch.outputs.at(0), std::span(labels).subspan(batch.first, batch.count));
  });
  return result.top1();
}

// For a baked model, which takes the data as they are.
Options raw_data(const Options& options) {
  Options raw = options;
  if (options.bake) raw.test.options.preprocessing = {};
  return raw;
}

// A model with nodes that stay in float has accuracy too.
double top1_quantized(const Graph& graph, const Options& options, ThreadPool& threads, std::string& engine) {
  try {
    return top1(graph, {}, raw_data(options), threads, engine);
  } catch (const DeviceError&) {
    return top1(graph, {"qdq"}, raw_data(options), threads, engine);
  }
}

std::optional<Accuracy> measure(const Graph& before, const Graph& after, const Options& options, ThreadPool& threads) {
  if (options.test.data.empty()) return std::nullopt;
  Accuracy accuracy;
  accuracy.top1_float = top1(before, {"float"}, options, threads, accuracy.engine);
  accuracy.top1_int8 = top1_quantized(after, options, threads, accuracy.engine);
  return accuracy;
}

AutoBits auto_bits(const Graph& before, const Options& options, ThreadPool& threads) {
  AutoBits result{options.max_drop, nullptr, options.min_sqnr};
  if (options.test.data.empty()) return result;
  std::string engine;
  const double reference = top1(before, {"float"}, options, threads, engine);
  result.drop = [&options, &threads, reference](const Graph& model) {
    std::string name;
    return 100 * (reference - top1(model, {}, raw_data(options), threads, name));
  };
  return result;
}

void check_files(const Options& options, const Session& session) {
  check_stdout(session, options.output == "-");
  std::vector<std::string> inputs = files_of({options.model}, options.calib);
  for (std::string& file : files_of({}, options.test)) inputs.push_back(std::move(file));
  check_keeps(inputs, session.json, "--json");
  check_keeps(inputs, options.output, "--output");
}

void check_bounds(const Options& options) {
  if (options.auto_bits && !options.max_drop && !options.min_sqnr)
    throw Error("--auto-bits needs a bound", "give --max-drop POINTS or --min-sqnr DB", ExitCode::usage);
  if (options.min_sqnr && !options.auto_bits) throw Error("--min-sqnr needs --auto-bits", "give both", ExitCode::usage);
  if (options.max_drop && options.test.data.empty() && !options.auto_bits)
    throw Error("--max-drop needs --data", "give labelled samples: --data X --labels Y", ExitCode::usage);
  if ((options.max_drop && std::isnan(*options.max_drop)) || (options.min_sqnr && std::isnan(*options.min_sqnr)) ||
      (options.percentile && std::isnan(*options.percentile)))
    throw Error("NaN is no bound", "give a number", ExitCode::usage);
  if (!options.test.labels.empty() && options.test.data.empty())
    throw Error("--labels needs --data", "give the samples that the labels belong to", ExitCode::usage);
}

// Options that another one leaves without effect.
void check_combinations(const Options& options) {
  const bool codebook = options.quantize.weights.codebook;
  if (codebook && options.weight_bits == 4)
    throw Error("--codebook and --weight-bits 4 exclude each other", "a codebook holds 8-bit weights", ExitCode::usage);
  if (options.auto_bits && (codebook || options.weight_bits))
    throw Error(fmt::format("--auto-bits and {} exclude each other", codebook ? "--codebook" : "--weight-bits"),
                "--auto-bits chooses the form of each layer's weights", ExitCode::usage);
  if (options.quantize.bias_correction && options.uses_adaround())
    throw Error("--bias-correction has no effect on weights rounded by adaround, which corrects biases itself",
                "leave it out, or give --rounding nearest", ExitCode::usage);
  if (options.percentile && options.method != method_name(CalibrationMethod::percentile))
    throw Error("--percentile needs --method percentile", "give both", ExitCode::usage);
  if (options.activations == "int16" && options.method != method_name(CalibrationMethod::minmax))
    throw Error("--method has no effect on --activations int16", "16 bits hold the whole range: leave it out",
                ExitCode::usage);
  if (options.bake && options.calib.options.preprocessing.identity())
    throw Error("--bake-preprocessing, but there is no preprocessing", "say which: --scale, --mean or --std",
                ExitCode::usage);
}

ordered_json to_json(const std::vector<QuantizeReport::FloatNode>& nodes) {
  ordered_json list = ordered_json::array();
  for (const auto& node : nodes) list.push_back({{"node", node.node}, {"reason", node.reason}});
  return list;
}

// Of weights and biases in the device's flash.
std::size_t device_bytes(const QuantizeReport& report) {
  std::size_t bytes = report.weights_bytes_int8;
  for (const LayerWeights& layer : report.weights) bytes += layer.bytes_device - layer.bytes;
  return bytes;
}

ordered_json to_json(const QuantizeReport& report) {
  ordered_json layers = ordered_json::array(), weights = ordered_json::array();
  for (const LayerError& layer : report.layers)
    layers.push_back({{"name", layer.name}, {"sqnr_db", layer.sqnr_db}, {"origins", layer.origins}});
  for (const LayerWeights& layer : report.weights) {
    weights.push_back({{"name", layer.name},
                       {"bits", layer.bits},
                       {"codebook", layer.codebook},
                       {"bytes", layer.bytes},
                       {"bytes_int8", layer.bytes_int8},
                       {"bytes_device", layer.bytes_device},
                       {"origins", layer.origins}});
    if (layer.sqnr_db_halved) weights.back()["sqnr_db_halved"] = *layer.sqnr_db_halved;
  }
  return {{"weights_bytes_float", report.weights_bytes_float},
          {"weights_bytes_int8", report.weights_bytes_int8},
          {"weights_bytes_device", device_bytes(report)},
          {"calibration_samples", report.samples},
          {"nodes_quantized", report.nodes_quantized},
          {"float_nodes", to_json(report.float_nodes)},
          {"int16_nodes", report.int16_nodes},
          {"kept_int8", to_json(report.kept_int8)},
          {"rounded_to_nearest", to_json(report.rounded_to_nearest)},
          {"output_sqnr_db", report.output_sqnr_db},
          {"layers", layers},
          {"weights", weights},
          {"passes", to_json(report.passes)}};
}

std::string weights_text(const std::vector<LayerWeights>& layers) {
  using Align = Table::Align;
  Table table({{"weights of", Align::left, 44},
               {"form"},
               {"bytes", Align::right},
               {"int8 bytes", Align::right},
               {"output SQNR, this alone halved", Align::right}});
  std::size_t bytes = 0, int8 = 0;
  for (const LayerWeights& layer : layers) {
    table.add({layer.name, layer.codebook ? "codebook" : fmt::format("int{}", layer.bits),
               with_commas(static_cast<std::int64_t>(layer.bytes)),
               with_commas(static_cast<std::int64_t>(layer.bytes_int8)),
               layer.sqnr_db_halved ? fmt::format("{:.1f} dB", *layer.sqnr_db_halved) : "-"});
    bytes += layer.bytes;
    int8 += layer.bytes_int8;
  }
  table.add_line();
  table.add(
      {fmt::format("{} layers", layers.size()),
       fmt::format("{:.3f} of int8", static_cast<double>(bytes) / static_cast<double>(std::max<std::size_t>(1, int8))),
       with_commas(static_cast<std::int64_t>(bytes)), with_commas(static_cast<std::int64_t>(int8)), ""});
  return table.text();
}

std::string to_text(const QuantizeReport& report, const std::optional<Accuracy>& accuracy, const std::string& type) {
  std::string out = fmt::format("weights {} -> {} bytes, {} nodes quantized, {} calibration samples\n",
                                with_commas(static_cast<std::int64_t>(report.weights_bytes_float)),
                                with_commas(static_cast<std::int64_t>(report.weights_bytes_int8)),
                                report.nodes_quantized, report.samples);
  const auto wider = std::count_if(report.weights.begin(), report.weights.end(),
                                   [](const LayerWeights& layer) { return layer.bytes_device != layer.bytes; });
  if (wider != 0)
    out += fmt::format(
        "on the device {} bytes: the weights of {} layers are int8 there (16-bit activations or ConvTranspose)\n",
        with_commas(static_cast<std::int64_t>(device_bytes(report))), wider);
  if (!report.sensitivities.empty()) out += weights_text(report.weights);
  if (report.auto_int16) out += to_text(*report.auto_int16);
  for (const auto& node : report.float_nodes)
    out += fmt::format("in float: {} ({})\n", printable(node.node), printable(node.reason));
  if (!report.int16_nodes.empty())
    out += fmt::format("outputs in 16 bits: {} of {} nodes\n", report.int16_nodes.size(), report.nodes_quantized);
  for (const auto& node : report.kept_int8)
    out += fmt::format("in 8 bits: {} ({})\n", printable(node.node), printable(node.reason));
  for (const auto& node : report.rounded_to_nearest)
    out += fmt::format("rounded to the nearest: {} ({})\n", printable(node.node), printable(node.reason));
  if (accuracy)
    out += fmt::format("top-1 {:.2f}% float, {:.2f}% {} (engine {}): {:+.2f} points\n", 100 * accuracy->top1_float,
                       100 * accuracy->top1_int8, type, accuracy->engine, 0.0 - accuracy->drop_points());
  if (report.layers.empty()) return out;
  out += fmt::format("output SQNR {:.1f} dB; worst layers:\n", report.output_sqnr_db);
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < std::min(kShown, report.layers.size()); ++i)
    out += fmt::format("  {:6.1f} dB  {}\n", report.layers[i].sqnr_db, printable(report.layers[i].name));
  return out;
}

// The model is not written then: a build must not go on with it. The report is.
std::string missed_bound(const Options& options, const QuantizeReport& report,
                         const std::optional<Accuracy>& accuracy) {
  constexpr double kRounding = 1e-9;  // fractions of counts, times 100
  if (options.max_drop && accuracy && accuracy->drop_points() > *options.max_drop + kRounding)
    return fmt::format("top-1 fell by {:.2f} points, --max-drop allows {:.2f}; nothing was written",
                       accuracy->drop_points(), *options.max_drop);
  if (report.bounds_met) return {};
  const bool by_classes = options.max_drop && !accuracy;
  return fmt::format("with int8 weights and 16-bit activations the model is still outside of {}; nothing was written",
                     !options.min_sqnr ? "--max-drop"
                     : by_classes      ? "--min-sqnr or --max-drop"
                                       : "--min-sqnr");
}

ExitCode quantize_model(Options& options, const Session& session) {
  check_files(options, session);
  check_bounds(options);
  check_combinations(options);
  ThreadPool threads(session.threads);
  const Graph before = read_model(options.model, session);
  options.test.options.layout = options.calib.options.layout;
  options.test.options.preprocessing = options.calib.options.preprocessing;
  if (options.bake) std::swap(options.quantize.bake.emplace(), options.calib.options.preprocessing);
  ModelData calib = open_model_data(before, options.calib);
  options.quantize.observer.method = parse_method(options.method);
  options.quantize.observer.percentile = options.percentile.value_or(options.quantize.observer.percentile);
  options.quantize.weights.bits = options.weight_bits.value_or(options.quantize.weights.bits);
  options.quantize.per_channel = !options.per_tensor;
  if (options.activations == "int16") options.quantize.activation_type = DType::i16;

  const bool adaround = options.uses_adaround();
  options.quantize.weights.rounding = adaround ? Rounding::reconstruct : Rounding::nearest;

  Progress progress("calibrating"), rounding("rounding weights");
  if (adaround || options.auto_bits)
    options.quantize.layer_progress = [&](std::size_t done, std::size_t all) { rounding.update(done, all); };
  options.quantize.progress = [&](std::size_t done, std::size_t all) { progress.update(done, all); };
  if (options.auto_bits) options.quantize.auto_bits = auto_bits(before, options, threads);
  const CalibrationData data{calib.samples(), [&](std::size_t first, std::size_t n) { return calib.read(first, n); }};
  QuantizeReport report;
  const Graph after =
      quantize(before, data, options.quantize, {threads, session.seed}, report, print_after(options.print_after));
  const auto accuracy = measure(before, after, options, threads);
  ordered_json json;
  if (accuracy)
    json = {{"top1_float", accuracy->top1_float}, {"top1_int8", accuracy->top1_int8}, {"engine", accuracy->engine}};
  json.update(to_json(report));
  if (report.auto_int16) json["auto_int16"] = to_json(*report.auto_int16);
  json["input_range"] = ranges_json(calib);
  const std::string text = to_text(report, accuracy, options.activations);
  const std::string missed = missed_bound(options, report, accuracy);
  FileSet files;
  if (missed.empty()) files.add_elsewhere(options.output, write_onnx_bytes(after));
  deliver(session, json, text, files, options.output == "-");
  if (!missed.empty())
    throw Error(missed, "the report names the worst layers; try --method mse or --equalize, or --exclude them",
                ExitCode::bound_not_met);
  return ExitCode::ok;
}

void add_method_options(CLI::App& command, Options& options) {
  command.add_option("--method", options.method, "How ranges are chosen from what calibration saw")
      ->type_name("minmax|moving-average|percentile|entropy|mse");
  command.add_option("--percentile", options.percentile, "Share of the values inside, for --method percentile")
      ->type_name("P")
      ->check(CLI::Range(0.5, 1.0).description(""));
  command.add_flag("--per-tensor", options.per_tensor, "One scale for all weights of a layer, not one a channel");
  command.add_flag("--symmetric", options.quantize.symmetric, "Activations with zero point 0");
  command.add_option("--activations", options.activations, "Type of activations")
      ->check(CLI::IsMember({"int8", "int16"}).description(""))
      ->type_name("int8|int16");
  command
      .add_option("--int16", options.quantize.int16_nodes,
                  "Hold the outputs of nodes of this name (or an input) in 16 bits; globs: '*' and '?'")
      ->type_name("GLOB")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--weight-bits", options.weight_bits, "Bits of a weight")
      ->check(CLI::IsMember({8, 4}).description(""))
      ->type_name("8|4");
  command.add_flag("--codebook", options.quantize.weights.codebook,
                   "At most 16 distinct int8 weights in a layer: half a byte each");
  command.add_flag("--auto-bits", options.auto_bits,
                   "8 bits, int4 or a codebook for each layer: the smallest weights within --max-drop or --min-sqnr; "
                   "16-bit activations for layers where int8 misses these");
  command.add_option("--min-sqnr", options.min_sqnr, "Least signal-to-noise ratio of the output, for --auto-bits")
      ->type_name("DB");
  command
      .add_option("--rounding", options.rounding,
                  "Each weight to its nearest, or for the least output error of a layer: adaround by default where "
                  "weights are halved; with --auto-bits, of the layers that keep 8 bits")
      ->check(CLI::IsMember({"nearest", "adaround"}).description(""))
      ->type_name("nearest|adaround");
  command.add_option("--exclude", options.quantize.exclude, "Keep nodes of this name in float; globs: '*' and '?'")
      ->type_name("GLOB")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command.add_flag("--equalize", options.quantize.equalize, "Cross-layer equalization of weights first");
  command.add_flag("--bias-correction", options.quantize.bias_correction,
                   "Correct the mean error of each channel; with --rounding nearest");
}

}  // namespace

void add_quantize(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      app, session, "quantize", "Quantize a float model to int8 with calibration data",
      "quantize model.onnx --calib calib.npy -o model_int8.onnx --data x.npy --labels y.npy --max-drop 0.5");
  command->add_option("MODEL", options->model, "ONNX file; '-' is stdin")->required();
  add_data_option(*command, options->calib, "--calib", "Calibration samples", true);
  command
      ->add_option("--calib-samples", options->calib.options.limit,
                   "Use the first N of them; of pictures, N spread evenly")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40U).description(""));
  command->add_option("-o,--output", options->output, "The ONNX file to write; '-' is stdout")
      ->type_name("FILE")
      ->check(check_name, "", "")
      ->required();
  add_method_options(*command, *options);
  add_preprocessing_options(*command, options->calib.options);
  command->add_flag("--bake-preprocessing", options->bake,
                    "Make --scale, --mean and --std part of the model: firmware feeds raw uint8 or int8");
  add_data_option(*command, options->test, "--data", "Samples to measure accuracy on, before and after", false);
  add_labels_option(*command, options->test);
  command->add_option("--max-drop", options->max_drop, "Most points of top-1 that may be lost; else exit code 4")
      ->type_name("POINTS");
  add_print_after(*command, options->print_after);
  command->callback(
      [options, &session] { session.run = [options, &session] { return quantize_model(*options, session); }; });
}

}  // namespace tinyml
