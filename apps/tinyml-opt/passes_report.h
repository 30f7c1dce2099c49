// What passes did, for the reports of optimize and quantize; and --print-after.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "passes/runner.h"

namespace CLI {
class App;
}

namespace tinyml {

nlohmann::ordered_json to_json(const std::vector<PassRun>& runs);
std::string to_text(const std::vector<PassRun>& runs);

void add_print_after(CLI::App& command, std::vector<std::string>& passes);
// Throws Error (usage) for a pass that does not exist. Dumps go to stderr.
RunnerOptions print_after(const std::vector<std::string>& passes);

}  // namespace tinyml
