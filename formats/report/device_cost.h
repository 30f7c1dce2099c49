// What a lowered model costs on the device, and bounds on it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/device/program.h"

namespace tinyml {

struct DeviceLayer {
  std::string name, op, kernel;
  std::int64_t macs = 0;
  std::optional<double> instructions;  // predicted per inference; nullopt: the kernel has no formula for this core
  std::vector<std::pair<std::string_view, double>> terms;  // of which the prediction is made, for portable kernels
  std::optional<double> cycles;                            // an estimate (lib/device/cycles.h)
  int fixed = -1;                                          // index of the function compiled for its shape
};

struct DeviceCost {
  std::string target;
  std::size_t arena_bytes = 0;       // RAM
  std::size_t slow_arena_bytes = 0;  // RAM of the second region; 0: there is none
  std::size_t weights_bytes = 0;     // flash: constants
  std::size_t tables_bytes = 0;      // flash: steps and their parameters
  std::int64_t macs = 0;
  std::size_t steps = 0;
  std::vector<DeviceLayer> layers;
  std::optional<ProgramBands> bands;
  std::vector<ProgramFixed> fixed;
  double unneeded_kernel_bytes = 0;
  double clock_mhz = 0;  // to say cycles as time; 0: not known
  std::size_t flash_bytes() const { return weights_bytes + tables_bytes; }
  std::size_t ram_bytes() const { return arena_bytes + slow_arena_bytes; }
};

DeviceCost device_cost(const Program& program);
nlohmann::ordered_json to_json(const DeviceCost& cost);
std::string to_text(const DeviceCost& cost);
// One row per step: the kernel that was chosen and what it is predicted to execute.
std::string layers_to_text(const DeviceCost& cost);

struct DeviceBounds {
  std::size_t max_ram = 0, max_flash = 0;  // 0: none
  bool any() const { return max_ram != 0 || max_flash != 0; }
};
// Throws Error (bound not met) that says by how much.
void check_bounds(const DeviceCost& cost, const DeviceBounds& bounds);

}  // namespace tinyml
