// Widths count UTF-8 characters, not bytes: names come from models.
#include "formats/report/table.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

// The first or last n characters.
std::string head(const std::string& text, std::size_t n) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at)
    if (starts_character(text[at]) && seen++ == n) break;
  return text.substr(0, at);
}
std::string tail(const std::string& text, std::size_t n) { return text.substr(head(text, width(text) - n).size()); }

std::string fit(const std::string& text, std::size_t widest) {
  if (width(text) <= widest) return text;
  const std::size_t keep = widest - 3;
  return head(text, keep / 2) + "..." + tail(text, keep - keep / 2);
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) internal_error("a table row of the wrong length");
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = fit(printable(cells[i]), columns_[i].widest);
  rows_.push_back(std::move(cells));
}

void Table::add_line() { rows_.emplace_back(); }

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t w = width(columns_[i].head);
    for (const auto& row : rows_)
      if (!row.empty()) w = std::max(w, width(row[i]));
    widths.push_back(w);
  }
  std::string out;
  const auto line = [&](auto&& cell) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string value = cell(i);
      const std::string pad(widths[i] - width(value), ' ');
      text += (i == 0 ? "" : "  ") + (columns_[i].align == Align::left ? value + pad : pad + value);
    }
    out += text.substr(0, text.find_last_not_of(' ') + 1) + '\n';
  };
  const auto rule = [&] { line([&](std::size_t i) { return std::string(widths[i], '-'); }); };
  line([&](std::size_t i) { return columns_[i].head; });
  rule();
  for (const auto& row : rows_)
    if (row.empty())
      rule();
    else
      line([&](std::size_t i) { return row[i]; });
  return out;
}

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = digits[0] == '-' ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace tinyml
