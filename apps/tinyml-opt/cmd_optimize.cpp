// optimize: float to float; the clean-up passes until nothing changes, checked by execution on random inputs.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/passes_report.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "lib/exec/compare.h"

namespace tinyml {
namespace {

struct Options {
  std::string model, output;
  std::vector<std::string> print_after;
  bool verify = true;
};

// Folding multiplies constants in another order than execution does; float32 keeps about 24 bits, of which deep models
// lose some: 60 dB is a relative error of 0.1%.
constexpr double kLeastDb = 60.0;

std::optional<Difference> verify_by_execution(const Graph& before, const Graph& after, const Session& session,
                                              ThreadPool& threads) {
  const auto difference = compare_on_random_inputs(before, after, session.seed, threads);
  if (difference && difference->sqnr_db() < kLeastDb)
    throw Error(
        fmt::format("the optimized model computes something else ({:.1f} dB on random inputs)", difference->sqnr_db()),
        "please report this with the model; --no-verify writes it nevertheless", ExitCode::internal);
  return difference;
}

ExitCode optimize(const Options& options, const Session& session) {
  check_stdout(session, options.output == "-");
  ThreadPool threads(session.threads);
  const Graph before = read_onnx(options.model);
  Graph graph = before;
  RunnerOptions runner = print_after(options.print_after);
  const auto runs = run_to_fixpoint(graph, cleanup_passes(), {threads, session.seed}, runner);
  std::optional<Difference> check;
  if (options.verify) check = verify_by_execution(before, graph, session, threads);
  write_onnx(graph, options.output);

  nlohmann::ordered_json report{{"nodes_before", before.nodes().size()}, {"nodes_after", graph.nodes().size()}};
  report["passes"] = to_json(runs);
  report["verified"] = check.has_value();
  std::string text =
      fmt::format("{} nodes -> {} nodes\n\n", before.nodes().size(), graph.nodes().size()) + to_text(runs);
  if (check) {
    report["sqnr_db"] = check->sqnr_db();
    report["max_error"] = check->max_error();
    text += fmt::format("\nverified on random inputs: largest difference {:.3g}\n", check->max_error());
  }
  deliver(session, report, text, options.output == "-");
  return ExitCode::ok;
}

}  // namespace

void add_optimize(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, session, "optimize", "Simplify a float model: fold, fuse, clean up",
                                  "optimize model.onnx -o model_opt.onnx");
  command->add_option("MODEL", options->model, "ONNX file; '-' is stdin")->required();
  command->add_option("-o,--output", options->output, "The ONNX file to write; '-' is stdout")
      ->type_name("FILE")
      ->required();
  add_print_after(*command, options->print_after);
  command->add_flag("!--no-verify", options->verify, "Do not execute the model before and after");
  command->callback([options, &session] { session.run = [options, &session] { return optimize(*options, session); }; });
}

}  // namespace tinyml
