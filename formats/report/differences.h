// A comparison of two models as JSON and as text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "lib/exec/compare.h"

namespace tinyml {

nlohmann::ordered_json to_json(const OutputReport& report);
std::string to_text(const OutputReport& report);
nlohmann::ordered_json to_json(const ComparisonReport& report);
std::string to_text(const ComparisonReport& report, std::size_t most_layers);

}  // namespace tinyml
