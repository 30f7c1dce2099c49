// What all commands share: the common options, and how a result leaves the tool. A command registers itself with
// CLI11 and leaves a function behind that main calls.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lib/ops/work.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"
#include "lib/support/memory.h"

namespace CLI {
class App;
}

namespace tinyml {

struct Session {
  std::string json;  // file for the report, "-" for stdout, empty for none
  std::uint64_t seed = 0;
  unsigned threads = 0;
  int verbose = 0;
  bool quiet = false;
  std::size_t max_memory = kDefaultMemoryLimit;
  double max_work = kDefaultMostWork / 1e9;  // 1e9 operations
  std::function<ExitCode()> run;             // of the command that was chosen
};

void add_common_options(CLI::App& app, Session& session);
// A subcommand with the common options; `example` is shown by its help.
CLI::App* add_command(CLI::App& app, Session& session, const std::string& name, const std::string& summary,
                      const std::string& example);

// For options that take a file's or folder's name: what is wrong with it, or nothing.
std::string check_name(const std::string& file);

// Reads a model that is to be executed: Error when that is out of all proportion (--max-work).
Graph read_model(const std::string& path, const Session& session);

// Throws Error (usage) when `output`, given to `option`, is one of the files that are read: a result never replaces
// what it was made of. Called before any work.
void check_keeps(const std::vector<std::string>& inputs, const std::string& output, const std::string& option);

// Throws Error (usage) when the report and another result both ask for stdout. Called before any work.
void check_stdout(const Session& session, bool stdout_taken);

// Sends the report where --json says and the text to stdout, unless the report or another result takes stdout; with
// `files`, the command's results, all of it together or not at all.
void deliver(const Session& session, const nlohmann::ordered_json& report, const std::string& text);
void deliver(const Session& session, const nlohmann::ordered_json& report, const std::string& text, FileSet& files,
             bool stdout_taken = false);

// One for each command.
void add_inspect(CLI::App& app, Session& session);
void add_optimize(CLI::App& app, Session& session);
void add_quantize(CLI::App& app, Session& session);
void add_emit(CLI::App& app, Session& session);
void add_run(CLI::App& app, Session& session);
void add_eval(CLI::App& app, Session& session);
void add_compare(CLI::App& app, Session& session);
void add_passes(CLI::App& app, Session& session);

}  // namespace tinyml
