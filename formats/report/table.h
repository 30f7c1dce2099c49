// Text tables for people: columns as wide as they need, a line below the heads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tinyml {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string head;
    Align align = Align::left;
    std::size_t widest = 60;  // longer cells are cut in the middle
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells);  // as many as columns
  void add_line();                           // a rule, such as before totals
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // an empty one is a rule
};

// 1234567 -> "1,234,567".
std::string with_commas(std::int64_t number);

}  // namespace tinyml
