// Accuracy as JSON and as text. Used by `eval`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "lib/exec/metrics.h"

namespace tinyml {

nlohmann::ordered_json to_json(const Classification& result);
std::string to_text(const Classification& result);

}  // namespace tinyml
