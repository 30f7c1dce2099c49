// Sizes: what the command line accepts, and how tables show them.
#include "lib/support/sizes.h"

#include <catch2/catch.hpp>

#include "lib/support/error.h"

using namespace tinyml;

TEST_CASE("sizes take K and M of 1024", "[support]") {
  CHECK(parse_size("300") == 300);
  CHECK(parse_size("64K") == 65536);
  CHECK(parse_size("64k") == 65536);
  CHECK(parse_size("1.5M") == 1572864);
  CHECK(parse_size("2KiB") == 2048);
  CHECK(parse_size("2kB") == 2048);
  for (const char* bad : {"", "K", "-1", "0", "64X", "64K5", "1e99", "nan", "inf", "0.3", "64 K", "12KBB"})
    CHECK_THROWS_AS(parse_size(bad), Error);
}

TEST_CASE("sizes read well", "[support]") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.0 KB");
  CHECK(format_size(1572864) == "1.5 MB");
}
