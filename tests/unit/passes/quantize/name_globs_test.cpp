// Glob matching of --exclude and --int16.
#include "passes/quantize/name_globs.h"

#include <catch2/catch.hpp>

#include "lib/support/error.h"

using namespace tinyml;

TEST_CASE("globs", "[quantize]") {
  CHECK(glob_matches("conv*", "conv1"));
  CHECK(glob_matches("*", ""));
  CHECK(glob_matches("/block?/*/conv", "/block3/a/b/conv"));
  CHECK(glob_matches("a*b*c", "aXbXbc"));
  CHECK_FALSE(glob_matches("conv?", "conv"));
  CHECK_FALSE(glob_matches("conv", "conv1"));
  CHECK_FALSE(glob_matches("*x", "abc"));
}

TEST_CASE("globs: names and origins are matched, and a pattern without a hit is an error", "[quantize]") {
  const std::vector<std::string> patterns{"conv*", "*1"};
  NameGlobs globs(patterns, "--exclude");
  CHECK_FALSE(globs.match("relu", {"r"}));
  CHECK(globs.match("fused", {"a", "conv2"}));
  CHECK_THROWS_WITH(globs.require_hits(), Catch::Contains("no node matches --exclude *1"));
  CHECK(globs.match("conv1", {}));
  CHECK_NOTHROW(globs.require_hits());
}
