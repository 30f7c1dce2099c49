// Options read the same in every command, and before it, because they are added here, once.
#include "apps/tinyml-opt/session.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "lib/support/atomic_file.h"

namespace tinyml {

void add_common_options(CLI::App& app, Session& session) {
  const std::string group = "Common options";
  app.add_option("--json", session.json, "Write the report as JSON to this file; '-' is stdout")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--seed", session.seed, "Seed of all that is random")->type_name("N")->group(group);
  constexpr unsigned kMostThreads = 1024;
  app.add_option("--threads", session.threads, "Threads to use; 0 is all")
      ->type_name("N")
      ->check(CLI::Range(0U, kMostThreads).description(""))
      ->group(group);
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

void check_stdout(const Session& session, bool stdout_taken) {
  if (session.json == "-" && stdout_taken)
    throw Error("--json - and another result both ask for stdout", "give a file to one of them", ExitCode::usage);
}

void deliver(const Session& session, const nlohmann::ordered_json& report, const std::string& text, bool stdout_taken) {
  if (!session.json.empty()) {
    check_stdout(session, stdout_taken);
    // Names come from models and need not be UTF-8.
    write_file(session.json, report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }
  if (session.json != "-" && !stdout_taken) write_file("-", text);
}

}  // namespace tinyml
