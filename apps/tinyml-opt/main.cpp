// tinyml-opt: parses the command line, runs the command, and turns what is thrown into one line and an exit code.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>

#include "apps/tinyml-opt/session.h"
#include "lib/support/atomic_file.h"
#include "lib/support/log.h"

namespace {

using tinyml::ExitCode;
using tinyml::LogLevel;

void print_error(const std::string& line) { std::fprintf(stderr, "tinyml-opt: error: %s\n", line.c_str()); }

LogLevel level_of(const tinyml::Session& session) {
  if (session.quiet) return LogLevel::quiet;
  if (session.verbose == 0) return LogLevel::normal;
  return session.verbose == 1 ? LogLevel::verbose : LogLevel::debug;
}

// The command whose help is asked for, or that was used wrongly.
std::string chosen_command(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "" : " " + chosen.front()->get_name();
}

// CLI11 would say that a subcommand is required, whatever stands there.
void check_command(const CLI::App& app, int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first.empty() || first[0] == '-') return;
  for (const CLI::App* command : app.get_subcommands({}))
    if (command->get_name() == first) return;
  throw tinyml::Error("unknown command '" + tinyml::printable(first) + "'", "see tinyml-opt --help", ExitCode::usage);
}

ExitCode parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return ExitCode::ok;
  } catch (const CLI::CallForHelp&) {
    tinyml::write_file("-", app.help());
  } catch (const CLI::CallForAllHelp&) {
    tinyml::write_file("-", app.help("", CLI::AppFormatMode::All));
  } catch (const CLI::CallForVersion& version) {
    tinyml::write_file("-", std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    throw tinyml::Error(tinyml::printable(error.what()), "see tinyml-opt" + chosen_command(app) + " --help",
                        ExitCode::usage);
  }
  return ExitCode::ok;
}

ExitCode run(int argc, char** argv) {
  tinyml::Session session;
  CLI::App app("Turns a trained ONNX model into verified int8 firmware for microcontrollers.", "tinyml-opt");
  app.set_version_flag("--version", std::string("tinyml-opt " TINYML_VERSION));
  app.require_subcommand(1);
  app.footer(
      "'tinyml-opt COMMAND --help' describes a command and shows an example.\n"
      "Exit codes: 0 done, 1 internal error, 2 wrong usage, 3 input invalid or unsupported, 4 a required bound "
      "is not met.");
  tinyml::add_common_options(app, session);
  tinyml::add_inspect(app, session);
  tinyml::add_optimize(app, session);
  tinyml::add_quantize(app, session);
  tinyml::add_emit(app, session);
  tinyml::add_run(app, session);
  tinyml::add_eval(app, session);
  tinyml::add_compare(app, session);
  tinyml::add_passes(app, session);
  check_command(app, argc, argv);
  const ExitCode parsed = parse(app, argc, argv);
  if (parsed != ExitCode::ok || !session.run) return parsed;
  tinyml::set_log_level(level_of(session));
  tinyml::set_memory_limit(session.max_memory);
  return session.run();
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that leaves, and a limit on file sizes, are errors of write, said like any other.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  ExitCode code = ExitCode::internal;
  try {
    code = run(argc, argv);
  } catch (const tinyml::Error& error) {
    print_error(error.what());
    code = error.kind();
  } catch (const std::bad_alloc&) {
    print_error("out of memory; use a smaller --batch, or check the dimensions of model and data");
    code = ExitCode::invalid_input;
  } catch (const std::exception& error) {
    print_error("internal error: " + tinyml::printable(error.what()) + "; please report this with the model");
  }
  return static_cast<int>(code);
}
