// Glob matching of --exclude.
#include "passes/quantize/plan.h"

#include <catch2/catch.hpp>

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
