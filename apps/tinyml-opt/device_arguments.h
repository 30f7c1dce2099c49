// The options that name the device and bound its memory; the same in every command that lowers a model.
#pragma once

#include <optional>
#include <string>

#include "formats/report/device_cost.h"
#include "lib/device/lower.h"

namespace CLI {
class App;
}

namespace tinyml {

struct DeviceArguments {
  std::string target = "cortex-m4", optimize = "speed", specialize = "none";
  std::optional<std::size_t> fast_ram;
};
void add_target_options(CLI::App& command, DeviceArguments& arguments);
// Error (usage) for an unknown name. A bound on RAM makes lowering choose leaner kernels where it has to.
LowerOptions lower_options(const DeviceArguments& arguments, const DeviceBounds& bounds);

void add_bound_options(CLI::App& command, DeviceBounds& bounds);

}  // namespace tinyml
