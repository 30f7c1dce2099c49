// Worst layers first; advice stands below the table, since it is longer than a column.
#include "formats/report/differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "formats/report/table.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

using nlohmann::ordered_json;

ordered_json layer_json(const LayerDifference& layer) {
  ordered_json out{{"name", layer.name},
                   {"op", layer.op},
                   {"origins", layer.origins},
                   {"sqnr_db", layer.difference.sqnr_db()},
                   {"cosine", layer.difference.cosine()},
                   {"max_error", layer.difference.max_error()},
                   {"clipped", layer.clipped}};
  if (layer.input_sqnr_db) out["input_sqnr_db"] = *layer.input_sqnr_db;
  if (!layer.advice.empty()) out["advice"] = layer.advice;
  return out;
}

}  // namespace

ordered_json to_json(const ComparisonReport& report) {
  ordered_json layers = ordered_json::array();
  for (const LayerDifference& layer : report.layers) layers.push_back(layer_json(layer));
  return {{"samples", report.samples},
          {"output_sqnr_db", report.output.sqnr_db()},
          {"output_cosine", report.output.cosine()},
          {"output_max_error", report.output.max_error()},
          {"same_top1", report.same_top1},
          {"unmatched", report.unmatched},
          {"layers", layers}};
}

std::string to_text(const ComparisonReport& report, std::size_t most_layers) {
  using Align = Table::Align;
  std::string out =
      fmt::format("{} samples: output SQNR {:.1f} dB, cosine {:.6f}, largest error {:.4g}; same class on {:.2f}%\n\n",
                  report.samples, report.output.sqnr_db(), report.output.cosine(), report.output.max_error(),
                  100 * report.same_top1);
  Table table({{"layer, worst first", Align::left, 44},
               {"operator"},
               {"SQNR dB", Align::right},
               {"of its input", Align::right},
               {"cosine", Align::right},
               {"max error", Align::right},
               {"clipped", Align::right}});
  const std::size_t shown = std::min(most_layers, report.layers.size());
  std::string advice;
  for (std::size_t i = 0; i < shown; ++i) {
    const LayerDifference& l = report.layers[i];
    table.add({l.name, l.op, fmt::format("{:.1f}", l.difference.sqnr_db()),
               l.input_sqnr_db ? fmt::format("{:.1f}", *l.input_sqnr_db) : "",
               fmt::format("{:.6f}", l.difference.cosine()), fmt::format("{:.4g}", l.difference.max_error()),
               fmt::format("{:.2f}%", 100 * l.clipped)});
    if (!l.advice.empty()) advice += fmt::format("  {}: {}\n", printable(l.name), printable(l.advice));
  }
  out += table.text();
  if (shown < report.layers.size()) out += fmt::format("... and {} better layers\n", report.layers.size() - shown);
  if (report.unmatched != 0) out += fmt::format("{} layers have no counterpart\n", report.unmatched);
  if (!advice.empty()) out += "\nWhat to do\n" + advice;
  return out;
}

}  // namespace tinyml
