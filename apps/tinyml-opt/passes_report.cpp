// Dumps print small constants in full and large ones as a digest.
#include "apps/tinyml-opt/passes_report.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "formats/report/table.h"
#include "lib/ir/text.h"
#include "lib/support/error.h"

namespace tinyml {

using nlohmann::ordered_json;

ordered_json to_json(const std::vector<PassRun>& runs) {
  ordered_json out = ordered_json::array();
  for (const PassRun& run : runs) {
    ordered_json skipped = ordered_json::array();
    for (const auto& skip : run.report.skipped) skipped.push_back({{"node", skip.node}, {"reason", skip.reason}});
    out.push_back({{"name", run.name},
                   {"changed", run.report.changed},
                   {"matched", run.report.matched},
                   {"skipped", skipped},
                   {"seconds", run.seconds}});
  }
  return out;
}

std::string to_text(const std::vector<PassRun>& runs) {
  using Align = Table::Align;
  Table table({{"pass"}, {"matched", Align::right}, {"changed", Align::right}, {"skipped", Align::right}});
  for (const PassRun& run : runs)
    table.add({run.name, std::to_string(run.report.matched), std::to_string(run.report.changed),
               std::to_string(run.report.skipped.size())});
  return table.text();
}

void add_print_after(CLI::App& command, std::vector<std::string>& passes) {
  command.add_option("--print-after", passes, "Print the graph to stderr after this pass; 'all': after each")
      ->type_name("PASS")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

RunnerOptions print_after(const std::vector<std::string>& passes) {
  for (const std::string& pass : passes) {
    const auto& all = all_passes();
    const bool known = std::any_of(all.begin(), all.end(), [&](const PassEntry& e) { return e.name == pass; });
    if (!known && pass != "all")
      throw Error("no pass '" + printable(pass) + "'", "see tinyml-opt passes", ExitCode::usage);
  }
  constexpr std::size_t kMostElements = 16;
  RunnerOptions options;
  options.print_after = passes;
  options.dump = [](const std::string& pass, const Graph& graph) {
    fmt::print(stderr, "# after {}\n{}", pass, print(graph, kMostElements));
  };
  return options;
}

}  // namespace tinyml
