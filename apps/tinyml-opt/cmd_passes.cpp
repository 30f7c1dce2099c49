// passes: lists what optimize and quantize are made of.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/tinyml-opt/session.h"
#include "formats/report/table.h"
#include "passes/runner.h"

namespace tinyml {
namespace {

ExitCode list_passes(const Session& session) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  Table table({{"pass"}, {"group"}, {"summary", Table::Align::left, 120}});
  for (const PassEntry& pass : all_passes()) {
    list.push_back({{"name", pass.name}, {"summary", pass.summary}, {"group", pass.group}});
    table.add({std::string(pass.name), std::string(pass.group), std::string(pass.summary)});
  }
  deliver(session, {{"passes", list}}, table.text());
  return ExitCode::ok;
}

}  // namespace

void add_passes(CLI::App& app, Session& session) {
  CLI::App* command = add_command(app, session, "passes", "List the passes with a summary of each", "passes");
  command->callback([&session] { session.run = [&session] { return list_passes(session); }; });
}

}  // namespace tinyml
