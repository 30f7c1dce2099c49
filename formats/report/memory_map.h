// The plan of the arena as JSON, as a table and as a picture. Used by `inspect`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "lib/device/program.h"

namespace tinyml {

nlohmann::ordered_json memory_to_json(const Program& program);
// One row for each buffer, in the order of the steps that write them.
std::string memory_to_text(const Program& program);
// SVG: steps from left to right, addresses upwards, a rectangle for each buffer.
std::string memory_to_svg(const Program& program, const std::string& title);

}  // namespace tinyml
