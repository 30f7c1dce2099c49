// The runtime's code is not in these figures: it depends on the compiler, and is shared by all models of a firmware.
#include "formats/report/device_cost.h"

#include <fmt/format.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include "formats/report/table.h"
#include "lib/ops/counts.h"
#include "lib/support/error.h"
#include "lib/support/sizes.h"

namespace tinyml {
namespace {

void check(const char* what, const char* option, std::size_t needed, std::size_t allowed) {
  if (allowed == 0 || needed <= allowed) return;
  throw Error(fmt::format("the model needs {} bytes of {}, {} allows {}", needed, what, option, allowed),
              fmt::format("{} bytes too many; shrink the model or raise the bound", needed - allowed),
              ExitCode::bound_not_met);
}

std::string bytes(std::size_t n) {
  return fmt::format("{:>10} bytes  {:>9}", with_commas(static_cast<std::int64_t>(n)), format_size(n));
}

}  // namespace

DeviceCost device_cost(const Program& program) {
  DeviceCost cost{std::string(target_name(program.target)),
                  program.arena_bytes,
                  program.slow_arena_bytes,
                  program.weights_bytes(),
                  program.tables_bytes(),
                  0,
                  program.steps.size(),
                  {}};
  for (const ProgramStep& step : program.steps) {
    cost.macs = saturating_sum(cost.macs, step.macs);
    cost.layers.push_back({step.name, step.op, step.kernel, step.macs, step.instructions});
  }
  return cost;
}

nlohmann::ordered_json to_json(const DeviceCost& cost) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const DeviceLayer& layer : cost.layers) {
    layers.push_back({{"name", layer.name}, {"op", layer.op}, {"kernel", layer.kernel}, {"macs", layer.macs}});
    layers.back()["instructions"] = nullptr;
    if (layer.instructions) layers.back()["instructions"] = std::llround(*layer.instructions);
  }
  nlohmann::ordered_json json{{"target", cost.target}, {"arena_bytes", cost.arena_bytes}};
  if (cost.slow_arena_bytes != 0) json["slow_arena_bytes"] = cost.slow_arena_bytes;
  json.update({{"weights_bytes", cost.weights_bytes},
               {"tables_bytes", cost.tables_bytes},
               {"flash_bytes", cost.flash_bytes()},
               {"steps", cost.steps},
               {"macs", cost.macs},
               {"layers", layers}});
  return json;
}

std::string layers_to_text(const DeviceCost& cost) {
  Table table({{"device step"},
               {"operator"},
               {"kernel"},
               {"MACs", Table::Align::right},
               {"instructions", Table::Align::right}});
  double sum = 0;
  std::size_t unknown = 0;
  for (const DeviceLayer& layer : cost.layers) {
    sum += layer.instructions.value_or(0);
    unknown += layer.instructions ? 0 : 1;
    table.add({layer.name, layer.op, layer.kernel, with_commas(layer.macs),
               layer.instructions ? with_commas(std::llround(*layer.instructions)) : "-"});
  }
  table.add_line();
  table.add({unknown == 0 ? "predicted per inference"
                          : fmt::format("predicted; no formula for {} of {}", unknown, cost.layers.size()),
             "", "", with_commas(cost.macs), with_commas(std::llround(sum))});
  return table.text();
}

std::string to_text(const DeviceCost& cost) {
  return fmt::format(
      "device    {}, {} steps, {} MACs\n"
      "RAM       {}  arena{}\n"
      "flash     {}  weights {}, tables {}; the runtime's code comes on top\n",
      cost.target, cost.steps, with_commas(cost.macs), bytes(cost.arena_bytes),
      cost.slow_arena_bytes == 0
          ? ""
          : fmt::format(" in fast RAM\n          {}  arena in slow RAM", bytes(cost.slow_arena_bytes)),
      bytes(cost.flash_bytes()), with_commas(static_cast<std::int64_t>(cost.weights_bytes)),
      with_commas(static_cast<std::int64_t>(cost.tables_bytes)));
}

void check_bounds(const DeviceCost& cost, const DeviceBounds& bounds) {
  check("RAM", "--max-ram", cost.ram_bytes(), bounds.max_ram);
  check("flash", "--max-flash", cost.flash_bytes(), bounds.max_flash);
}

}  // namespace tinyml
