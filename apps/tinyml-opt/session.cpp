// Options read the same in every command, and before it, because they are added here, once.
#include "apps/tinyml-opt/session.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "formats/onnx/onnx.h"
#include "formats/report/describe.h"
#include "lib/support/atomic_file.h"
#include "lib/support/sizes.h"

namespace tinyml {

namespace {

// The environment counts where the command line says nothing, so it is asked once, before the command.
void add_limits(CLI::App& app, Session& session, const std::string& group) {
  auto* memory = app.add_option_function<std::string>(
      "--max-memory", [&session](const std::string& text) { session.max_memory = parse_size(text); },
      "Most memory for tensors, besides what the model's file holds: 768M, or TINYML_MAX_MEMORY");
  memory->type_name("SIZE")->group(group);
  auto* work =
      app.add_option("--max-work", session.max_work,
                     "Most billions of operations for one execution of a model: 34, or TINYML_MAX_WORK; each of an "
                     "int8 model counts as two");
  work->type_name("N")->group(group)->check(CLI::Range(1e-9, kMostMaxWork).description(""));
  if (app.get_parent() != nullptr) return;
  memory->envname("TINYML_MAX_MEMORY");
  work->envname("TINYML_MAX_WORK");
}

}  // namespace

std::string check_name(const std::string& file) { return file.empty() ? "names no file" : ""; }

void add_common_options(CLI::App& app, Session& session) {
  const std::string group = "Common options";
  app.add_option("--json", session.json, "Write the report as JSON to this file; '-' is stdout")
      ->type_name("FILE")
      ->check(check_name, "", "")
      ->group(group);
  app.add_option("--seed", session.seed, "Seed of all that is random")->type_name("N")->group(group);
  constexpr unsigned kMostThreads = 1024;
  app.add_option("--threads", session.threads, "Threads to use; 0 is all")
      ->type_name("N")
      ->check(CLI::Range(0U, kMostThreads).description(""))
      ->group(group);
  add_limits(app, session, group);
  app.add_flag("-v,--verbose", session.verbose, "Say more on stderr; -vv even more")->group(group);
  app.add_flag("-q,--quiet", session.quiet, "Say nothing on stderr but errors")->group(group);
}

CLI::App* add_command(CLI::App& app, Session& session, const std::string& name, const std::string& summary,
                      const std::string& example) {
  CLI::App* command = app.add_subcommand(name, summary);
  command->footer("Example:\n  tinyml-opt " + example);
  add_common_options(*command, session);
  return command;
}

void check_keeps(const std::vector<std::string>& inputs, const std::string& output, const std::string& option) {
  namespace fs = std::filesystem;
  std::error_code missing;  // then they are no one file
  if (output.empty() || output == "-" || !fs::is_regular_file(output, missing)) return;
  for (const std::string& input : inputs)
    if (input != "-" && fs::equivalent(input, output, missing))
      throw Error(fmt::format("{} would overwrite '{}', which is read", option, printable(input)), "give another file",
                  ExitCode::usage);
}

Graph read_model(const std::string& path, const Session& session) {
  if (std::isnan(session.max_work)) throw Error("--max-work: NaN is no bound", "give a number", ExitCode::usage);
  Graph graph = read_onnx(path);
  try {
    // The device's kernels are written for small cores: 3 to 8 times slower than packed float kernels (ic01, vww01,
    // kws01, ad01, one thread), but not than the elementwise operators that most of the limit's room is for.
    constexpr double kDeviceKernels = 2;
    check_work(graph, session.max_work * 1e9, is_quantized(graph) ? kDeviceKernels : 1);
  } catch (Error& error) {
    throw error.in_file(path);
  }
  return graph;
}

void check_stdout(const Session& session, bool stdout_taken) {
  if (session.json == "-" && stdout_taken)
    throw Error("--json - and another result both ask for stdout", "give a file to one of them", ExitCode::usage);
}

void deliver(const Session& session, const nlohmann::ordered_json& report, const std::string& text, FileSet& files,
             bool stdout_taken) {
  check_stdout(session, stdout_taken);
  // Names come from models and need not be UTF-8.
  if (!session.json.empty())
    files.add_elsewhere(session.json,
                        report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  if (session.json != "-" && !stdout_taken) files.add_elsewhere("-", text);
  files.commit();
}

void deliver(const Session& session, const nlohmann::ordered_json& report, const std::string& text) {
  FileSet files;
  deliver(session, report, text, files);
}

}  // namespace tinyml
