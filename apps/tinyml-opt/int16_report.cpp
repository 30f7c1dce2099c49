// One row per value that was chosen, with what it gains and costs alone, and the model's needs before and after.
#include "apps/tinyml-opt/int16_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "formats/report/table.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const DeviceNeeds& needs) {
  return {{"instructions", std::llround(needs.instructions)},
          {"arena_bytes", needs.arena_bytes},
          {"tables_bytes", needs.tables_bytes}};
}

std::string change(double before, double after) {
  return fmt::format("{} -> {}", with_commas(std::llround(before)), with_commas(std::llround(after)));
}

std::string change(std::size_t before, std::size_t after) {
  return change(static_cast<double>(before), static_cast<double>(after));
}

}  // namespace

ordered_json to_json(const QuantizeReport::AutoInt16& choice) {
  ordered_json layers = ordered_json::array();
  for (const auto& layer : choice.layers) {
    layers.push_back({{"name", layer.name}, {"origins", layer.origins}, {"sqnr_db_alone", layer.sqnr_db_alone}});
    if (layer.instructions_alone) layers.back()["instructions_alone"] = std::llround(*layer.instructions_alone);
  }
  ordered_json json{{"candidates", choice.candidates}, {"sqnr_db_int8", choice.sqnr_db_int8}, {"layers", layers}};
  if (choice.before && choice.after) {
    json["target"] = choice.target;
    json["before"] = to_json(*choice.before);
    json["after"] = to_json(*choice.after);
  }
  return json;
}

std::string to_text(const QuantizeReport::AutoInt16& choice) {
  using Align = Table::Align;
  Table table({{"16 bits for the output of", Align::left, 44},
               {"instructions, this alone", Align::right},
               {"output SQNR, this alone", Align::right}});
  for (const auto& layer : choice.layers)
    table.add({printable(layer.name),
               layer.instructions_alone ? fmt::format("{:+}", std::llround(*layer.instructions_alone)) : "-",
               fmt::format("{:.1f} dB", layer.sqnr_db_alone)});
  table.add_line();
  table.add({fmt::format("{} of {}; none:", choice.layers.size(), choice.candidates), "",
             fmt::format("{:.1f} dB", choice.sqnr_db_int8)});
  std::string text = table.text();
  if (choice.before && choice.after)
    text += fmt::format("{}, with int8 weights: instructions {}, arena {} bytes, tables {} bytes\n", choice.target,
                        change(choice.before->instructions, choice.after->instructions),
                        change(choice.before->arena_bytes, choice.after->arena_bytes),
                        change(choice.before->tables_bytes, choice.after->tables_bytes));
  return text;
}

}  // namespace tinyml
