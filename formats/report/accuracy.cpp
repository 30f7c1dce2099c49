// Fractions in JSON; percent for people.
#include "formats/report/accuracy.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "formats/report/table.h"

namespace tinyml {

using nlohmann::ordered_json;

ordered_json to_json(const Classification& result) {
  ordered_json confusion = ordered_json::array(), classes = ordered_json::array();
  const std::size_t n = result.classes();
  const auto per_class = result.per_class();
  for (std::size_t c = 0; c < n; ++c) {
    const auto row = result.confusion().begin() + static_cast<std::ptrdiff_t>(c * n);
    confusion.push_back(std::vector<std::size_t>(row, row + static_cast<std::ptrdiff_t>(n)));
    classes.push_back({{"label", c},
                       {"samples", per_class[c].samples},
                       {"recall", per_class[c].recall},
                       {"precision", per_class[c].precision},
                       {"f1", per_class[c].f1}});
  }
  return {{"samples", result.samples()}, {"top1", result.top1()}, {"topk", result.topk()}, {"k", result.k()},
          {"confusion", confusion},      {"classes", classes}};
}

std::string to_text(const Classification& result) {
  std::string out =
      fmt::format("top-1 {:.2f}%, top-{} {:.2f}%\n", 100 * result.top1(), result.k(), 100 * result.topk());
  constexpr std::size_t kMostClasses = 24;  // as many columns as a wide terminal takes
  const std::size_t n = result.classes();
  const auto per_class = result.per_class();
  using Align = Table::Align;
  std::vector<Table::Column> columns{
      {"label", Align::right}, {"samples", Align::right}, {"recall", Align::right}, {"precision", Align::right}};
  const bool matrix = n <= kMostClasses;
  for (std::size_t c = 0; c < n && matrix; ++c) columns.push_back({fmt::format("as {}", c), Align::right});
  Table table(columns);
  for (std::size_t c = 0; c < n; ++c) {
    std::vector<std::string> row{std::to_string(c), std::to_string(per_class[c].samples),
                                 fmt::format("{:.2f}%", 100 * per_class[c].recall),
                                 fmt::format("{:.2f}%", 100 * per_class[c].precision)};
    for (std::size_t other = 0; other < n && matrix; ++other)
      row.push_back(std::to_string(result.confusion()[c * n + other]));
    table.add(row);
  }
  return out + table.text();
}

}  // namespace tinyml
