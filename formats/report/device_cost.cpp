// The runtime's code is not in these figures: it depends on the compiler, and is shared by all models of a firmware.
#include "formats/report/device_cost.h"

#include <fmt/format.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include "formats/report/table.h"
#include "lib/device/cycles.h"
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

struct Total {
  double sum = 0;
  std::size_t unknown = 0;  // layers without a figure
};

Total total(const DeviceCost& cost, std::optional<double> DeviceLayer::*figure) {
  Total result;
  for (const DeviceLayer& layer : cost.layers) {
    result.sum += (layer.*figure).value_or(0);
    result.unknown += layer.*figure ? 0 : 1;
  }
  return result;
}

std::string rounded(std::optional<double> number) { return number ? with_commas(std::llround(*number)) : "-"; }

std::string bytes(std::size_t n) {
  return fmt::format("{:>10} bytes  {:>9}", with_commas(static_cast<std::int64_t>(n)), format_size(n));
}

// Only where every layer has the figure.
void add_totals(nlohmann::ordered_json& json, const DeviceCost& cost) {
  const Total instructions = total(cost, &DeviceLayer::instructions), cycles = total(cost, &DeviceLayer::cycles);
  if (instructions.unknown == 0) json["instructions"] = std::llround(instructions.sum);
  if (cycles.unknown != 0) return;
  json["cycles_estimate"] = std::llround(cycles.sum);
  if (cost.clock_mhz <= 0) return;
  json["clock_mhz"] = cost.clock_mhz;
  json["ms_estimate"] = cycles.sum / cost.clock_mhz / 1000;
}

nlohmann::ordered_json fixed_to_json(const DeviceCost& cost) {
  nlohmann::ordered_json functions = nlohmann::ordered_json::array();
  for (const ProgramFixed& fixed : cost.fixed) {
    functions.push_back({{"kernel", fixed.kernel}, {"steps", fixed.steps}, {"flash_bytes", nullptr}});
    if (fixed.flash_bytes) functions.back()["flash_bytes"] = std::llround(*fixed.flash_bytes);
    functions.back()["saved_instructions"] = nullptr;
    if (fixed.saved_instructions) functions.back()["saved_instructions"] = std::llround(*fixed.saved_instructions);
  }
  return {{"functions", functions}, {"unneeded_kernel_bytes", std::llround(cost.unneeded_kernel_bytes)}};
}

std::string fixed_to_text(const DeviceCost& cost) {
  std::size_t steps = 0, unknown = 0;
  double bytes = 0, saved = 0;
  for (const ProgramFixed& fixed : cost.fixed) {
    steps += fixed.steps.size();
    unknown += fixed.flash_bytes && fixed.saved_instructions ? 0 : 1;
    bytes += fixed.flash_bytes.value_or(0);
    saved += fixed.saved_instructions.value_or(0);
  }
  const std::string costs =
      unknown != 0 ? "not predicted on this core"
                   : fmt::format("{} bytes of code instead of {}, {} instructions {}", with_commas(std::llround(bytes)),
                                 with_commas(std::llround(cost.unneeded_kernel_bytes)),
                                 with_commas(std::llround(std::abs(saved))), saved < 0 ? "more" : "saved");
  return fmt::format("fixed     {} function{} for the shapes of {} steps: {}\n", cost.fixed.size(),
                     cost.fixed.size() == 1 ? "" : "s", steps, costs);
}

nlohmann::ordered_json bands_to_json(const ProgramBands& bands) {
  nlohmann::ordered_json json{{"first", bands.first},
                              {"last", bands.last},
                              {"bands", bands.count},
                              {"rows", bands.rows},
                              {"arena_without", bands.arena_without},
                              {"extra_macs", bands.extra_macs},
                              {"extra_instructions", nullptr}};
  if (bands.extra_instructions) json["extra_instructions"] = std::llround(*bands.extra_instructions);
  return json;
}

std::string bands_to_text(const ProgramBands& bands) {
  return fmt::format("bands     {} of {} rows, {} to {}: {} MACs more{}; the arena without them has {} bytes\n",
                     bands.count, bands.rows, bands.first, bands.last, with_commas(bands.extra_macs),
                     bands.extra_instructions
                         ? fmt::format(", {} instructions more", with_commas(std::llround(*bands.extra_instructions)))
                         : "",
                     with_commas(static_cast<std::int64_t>(bands.arena_without)));
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
                  {},
                  program.bands,
                  program.fixed,
                  program.unneeded_kernel_bytes};
  for (const ProgramStep& step : program.steps) {
    cost.macs = saturating_sum(cost.macs, step.macs);
    cost.layers.push_back({step.name, step.op, step.kernel, step.macs, step.instructions, step.terms, {}, step.fixed});
    if (step.instructions)
      cost.layers.back().cycles = estimated_cycles(step.kernel, *step.instructions, program.target);
  }
  return cost;
}

nlohmann::ordered_json to_json(const DeviceCost& cost) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const DeviceLayer& layer : cost.layers) {
    layers.push_back({{"name", layer.name}, {"op", layer.op}, {"kernel", layer.kernel}, {"macs", layer.macs}});
    layers.back()["instructions"] = nullptr;
    if (layer.instructions) layers.back()["instructions"] = std::llround(*layer.instructions);
    if (layer.cycles) layers.back()["cycles_estimate"] = std::llround(*layer.cycles);
    if (layer.cycles && cost.clock_mhz > 0) layers.back()["ms_estimate"] = *layer.cycles / cost.clock_mhz / 1000;
    if (layer.fixed >= 0) layers.back()["form"] = cost.fixed[static_cast<std::size_t>(layer.fixed)].form;
    if (layer.fixed >= 0) layers.back()["function"] = layer.fixed;
    for (const auto& [name, times] : layer.terms) layers.back()["terms"][std::string(name)] = times;
  }
  nlohmann::ordered_json json{{"target", cost.target}, {"arena_bytes", cost.arena_bytes}};
  if (cost.slow_arena_bytes != 0) json["slow_arena_bytes"] = cost.slow_arena_bytes;
  json.update({{"weights_bytes", cost.weights_bytes},
               {"tables_bytes", cost.tables_bytes},
               {"flash_bytes", cost.flash_bytes()},
               {"steps", cost.steps},
               {"macs", cost.macs}});
  add_totals(json, cost);
  json["layers"] = layers;
  if (!cost.fixed.empty()) json["fixed"] = fixed_to_json(cost);
  if (cost.bands) json["bands"] = bands_to_json(*cost.bands);
  return json;
}

std::string layers_to_text(const DeviceCost& cost) {
  const Total instructions = total(cost, &DeviceLayer::instructions), cycles = total(cost, &DeviceLayer::cycles);
  const bool has_cycles = cycles.unknown < cost.layers.size(), has_time = has_cycles && cost.clock_mhz > 0;
  const auto bytes_of = [&](const DeviceLayer& layer) -> std::string {
    if (layer.fixed < 0) return "";
    const ProgramFixed& fixed = cost.fixed[static_cast<std::size_t>(layer.fixed)];
    return fmt::format("{} ({})", rounded(fixed.flash_bytes), layer.fixed);
  };
  std::vector<Table::Column> columns{{"device step"}, {"operator"}, {"kernel"}};
  for (const char* head : {"MACs", "instructions"}) columns.push_back({head, Table::Align::right});
  if (has_cycles) columns.push_back({"est. cycles", Table::Align::right});
  if (has_time) columns.push_back({fmt::format("est. ms at {:g} MHz", cost.clock_mhz), Table::Align::right});
  if (!cost.fixed.empty()) columns.push_back({"own code, bytes", Table::Align::right});
  Table table(columns);
  const auto add = [&](std::vector<std::string> cells, std::optional<double> count, std::optional<double> wait,
                       const std::string& own = "") {
    cells.push_back(rounded(count));
    if (has_cycles) cells.push_back(rounded(wait));
    if (has_time) cells.push_back(wait ? fmt::format("{:.3f}", *wait / cost.clock_mhz / 1000) : "-");
    if (!cost.fixed.empty()) cells.push_back(own);
    table.add(cells);
  };
  for (const DeviceLayer& layer : cost.layers)
    add({layer.name, layer.op, layer.kernel, with_commas(layer.macs)}, layer.instructions, layer.cycles,
        bytes_of(layer));
  table.add_line();
  const std::string what = instructions.unknown == 0 ? "predicted per inference"
                                                     : fmt::format("predicted; no formula for {} of {}",
                                                                   instructions.unknown, cost.layers.size());
  add({what, "", "", with_commas(cost.macs)}, instructions.sum, cycles.sum);
  std::string text = table.text();
  if (has_cycles)
    text += fmt::format(
        "cycles are an estimate from instruction classes, without wait states of flash{}\n",
        cycles.unknown == 0 ? "" : fmt::format("; none for {} of {} steps", cycles.unknown, cost.layers.size()));
  return text;
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
             with_commas(static_cast<std::int64_t>(cost.tables_bytes))) +
         (cost.fixed.empty() ? "" : fixed_to_text(cost)) + (cost.bands ? bands_to_text(*cost.bands) : "");
}

void check_bounds(const DeviceCost& cost, const DeviceBounds& bounds) {
  check("RAM", "--max-ram", cost.ram_bytes(), bounds.max_ram);
  check("flash", "--max-flash", cost.flash_bytes(), bounds.max_flash);
}

}  // namespace tinyml
