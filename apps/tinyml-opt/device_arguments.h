// The options that name the device and bound its memory; the same in every command that lowers a model.
#pragma once

#include <string>

#include "formats/report/device_cost.h"

namespace CLI {
class App;
}

namespace tinyml {

void add_target_option(CLI::App& command, std::string& target);
void add_bound_options(CLI::App& command, DeviceBounds& bounds);

}  // namespace tinyml
