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

ordered_json to_json(const OutputReport& report) {
  ordered_json out{{"samples", report.samples},
                   {"output_sqnr_db", report.output.sqnr_db()},
                   {"output_cosine", report.output.cosine()},
                   {"output_max_error", report.output.max_error()},
                   {"same_top1", report.same_top1}};
  if (report.output.not_finite() != 0) out["output_not_finite"] = report.output.not_finite();
  if (report.steps.empty()) return out;
  out["output_step"] = report.step;
  for (std::size_t i = 0; i < report.steps.size(); ++i) out["output_steps"][kStepNames[i]] = report.steps[i];
  return out;
}

std::string to_text(const OutputReport& report) {
  std::string out = fmt::format(
      "{} samples: output SQNR {:.1f} dB, cosine {:.6f}, largest error {:.4g}; same class on {:.2f}%\n", report.samples,
      report.output.sqnr_db(), report.output.cosine(), report.output.max_error(), 100 * report.same_top1);
  if (report.output.not_finite() != 0)
    out += fmt::format("{} of {} output elements are infinite or NaN\n", report.output.not_finite(),
                       report.output.elements());
  if (report.steps.empty()) return out;
  out += fmt::format("output differences in steps of {:.4g}:", report.step);
  const double all = static_cast<double>(std::max<std::size_t>(1, report.output.elements()));
  for (std::size_t i = 0; i < report.steps.size(); ++i)
    out += fmt::format("{} {}: {:.3f}%", i == 0 ? "" : ",", kStepNames[i],
                       100 * static_cast<double>(report.steps[i]) / all);
  return out + "\n";
}

ordered_json to_json(const ComparisonReport& report) {
  ordered_json layers = ordered_json::array();
  for (const LayerDifference& layer : report.layers) layers.push_back(layer_json(layer));
  ordered_json out = to_json(static_cast<const OutputReport&>(report));
  out["unmatched"] = report.unmatched;
  out["layers"] = layers;
  return out;
}

std::string to_text(const ComparisonReport& report, std::size_t most_layers) {
  using Align = Table::Align;
  std::string out = to_text(static_cast<const OutputReport&>(report)) + "\n";
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
