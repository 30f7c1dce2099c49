// Tables: alignment, cuts and rules, written out by hand.
#include "formats/report/table.h"

#include <catch2/catch.hpp>

using namespace tinyml;

TEST_CASE("a table aligns its columns", "[report]") {
  Table table({{"name"}, {"n", Table::Align::right}});
  table.add({"a", "1"});
  table.add({"b\u00e9ta", "1,000"});
  table.add_line();
  table.add({"", "1,001"});
  CHECK(table.text() ==
        "name      n\n"
        "----  -----\n"
        "a         1\n"
        "b\u00e9ta  1,000\n"
        "----  -----\n"
        "      1,001\n");
}

TEST_CASE("long cells are cut in the middle, control characters shown", "[report]") {
  Table table({{"name", Table::Align::left, 9}});
  table.add({"abcdefghijkl"});
  table.add({"x\ny"});
  CHECK(table.text() == "name\n---------\nabc...jkl\nx\\x0ay\n");
}

TEST_CASE("numbers with commas", "[report]") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1000) == "1,000");
  CHECK(with_commas(-1234567) == "-1,234,567");
}
