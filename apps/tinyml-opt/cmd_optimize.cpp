// optimize: float to float; the clean-up passes until nothing changes, checked by execution on random inputs.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/passes_report.h"
#include "apps/tinyml-opt/session.h"
#include "formats/onnx/onnx.h"
#include "lib/support/log.h"
#include "passes/verify_rewrite.h"

namespace tinyml {
namespace {

struct Options {
  std::string model, output;
  std::vector<std::string> print_after;
  bool verify = true;
};

// A large model runs one sample: two would take too long.
RewriteCheck verify_by_execution(Graph& before, const Graph& after, const Session& session, ThreadPool& threads) {
  constexpr double kMuch = 0x1p31;
  const auto work = work_of(before);
  const RewriteCheck check = verify_rewrite(before, after, threads, session.seed, work && work->total > kMuch ? 1 : 2);
  if (!check.executed) log_warning("not verified by execution: " + check.reason);
  if (check.executed && check.not_finite != 0)
    log_warning(
        fmt::format("{} of {} outputs are infinite or NaN on random inputs, before and after: the model's "
                    "numbers overflow",
                    check.not_finite, check.elements));
  return check;
}

nlohmann::ordered_json report_json(const Graph& before, const Graph& after, const std::vector<PassRun>& runs,
                                   const RewriteCheck& check) {
  nlohmann::ordered_json report{{"nodes_before", before.nodes().size()},
                                {"nodes_after", after.nodes().size()},
                                {"passes", to_json(runs)},
                                {"verified", check.executed}};
  if (check.executed) report["largest_difference"] = check.largest_difference;
  return report;
}

ExitCode optimize(const Options& options, const Session& session) {
  check_stdout(session, options.output == "-");
  check_keeps({options.model}, session.json, "--json");
  ThreadPool threads(session.threads);
  Graph before = read_model(options.model, session);
  Graph graph = before;
  RunnerOptions runner = print_after(options.print_after);
  const auto runs = run_to_fixpoint(graph, cleanup_passes(), {threads, session.seed}, runner);
  RewriteCheck check;
  if (options.verify) check = verify_by_execution(before, graph, session, threads);
  const nlohmann::ordered_json report = report_json(before, graph, runs, check);
  std::string text =
      fmt::format("{} nodes -> {} nodes\n\n", before.nodes().size(), graph.nodes().size()) + to_text(runs);
  if (check.executed)
    text += fmt::format("\nverified on random inputs: largest relative difference {:.3g}\n", check.largest_difference);
  FileSet files;
  files.add_elsewhere(options.output, write_onnx_bytes(graph));
  deliver(session, report, text, files, options.output == "-");
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
      ->check(check_name, "", "")
      ->required();
  add_print_after(*command, options->print_after);
  command->add_flag("!--no-verify", options->verify, "Do not execute the model before and after");
  command->callback([options, &session] { session.run = [options, &session] { return optimize(*options, session); }; });
}

}  // namespace tinyml
