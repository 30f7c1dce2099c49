// Estimates of work against counts by hand, and that what is out of proportion is refused and not begun.
#include "lib/ops/work.h"

#include <catch2/catch.hpp>

#include "lib/ops/counts.h"
#include "lib/support/error.h"
#include "tests/unit/passes/pass_test.h"

using namespace tinyml;

namespace {

double work(const std::string& text) {
  Graph graph = test::typed(text);
  const auto result = work_of(graph);
  REQUIRE(result);
  return result->total;
}

}  // namespace

TEST_CASE("work counts taps inside of the image, for one sample", "[ops]") {
  const std::string pool = "= MaxPool(%x) {kernel_shape=[3001,3001], pads=[1500,1500,1500,1500]}\noutput %y";
  const double small = work("input %x: float32[batch,1,8,8]\n%y " + pool);
  CHECK(small > 64 * 64);  // each output meets every element
  CHECK(small < 100.0 * 64 * 64);
  CHECK(work("input %x: float32[batch,1,3000,3000]\n%y " + pool) > 8.1e13);
}

TEST_CASE("types are as before once work is known", "[ops]") {
  Graph graph = test::typed("input %x: float32[batch,3]\n%y = Relu(%x)\noutput %y");
  const auto before = graph.value(graph.outputs()[0]).type;
  REQUIRE(work_of(graph));
  CHECK(graph.value(graph.outputs()[0]).type == before);
  CHECK(graph.value(graph.inputs()[0]).type == before);
  Graph open = test::typed("input %x: float32[batch,n]\n%y = Relu(%x)\noutput %y");
  CHECK(!work_of(open));
}

TEST_CASE("hostile work is refused by name", "[ops]") {
  Graph graph = test::typed(
      "input %x: float32[batch,1,3000,3000]\n%r = Relu(%x)\n%y = AveragePool(%r) {kernel_shape=[1001,1001], "
      "pads=[500,500,500,500]}\noutput %y");
  CHECK_THROWS_AS(check_work(graph, kDefaultMostWork), Error);
  CHECK_NOTHROW(check_work(graph, 1e18));
}

TEST_CASE("counts saturate", "[ops]") {
  const std::int64_t large = std::int64_t{1} << 40, most = INT64_MAX;
  CHECK(saturating_product({large, large, 3}) == most);
  CHECK(saturating_product({large, 0, large}) == 0);
  CHECK(saturating_product({2, 3, 7}) == 42);
  CHECK(saturating_sum(most, 1) == most);
  CHECK(saturating_sum(2, 3) == 5);
}
