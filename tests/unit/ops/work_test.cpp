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

TEST_CASE("the bound that is suggested is enough, on slower kernels too", "[ops]") {
  Graph graph = test::typed("input %x: float32[batch,1000,4000]\n%y = Relu(%x)\noutput %y");
  for (const double slowness : {1.0, 2.0, 7.0}) {
    CAPTURE(slowness);
    double suggested = 0;
    try {
      check_work(graph, 1e6, slowness);
    } catch (const Error& error) {
      const std::string option = "--max-work ";
      suggested = std::stod(error.hint().substr(error.hint().find(option) + option.size()));
    }
    CHECK(suggested >= slowness);
    CHECK_NOTHROW(check_work(graph, suggested * 1e9, slowness));
    CHECK_THROWS_AS(check_work(graph, (suggested - 1) * 1e9, slowness), Error);
  }
}

TEST_CASE("no bound is suggested that --max-work does not take", "[ops]") {
  Graph graph = test::typed(
      "input %x: float32[batch,1,1000000,1000000]\n%y = MaxPool(%x) {kernel_shape=[999999,999999], "
      "pads=[499999,499999,499999,499999]}\noutput %y");
  try {
    check_work(graph, 1e9);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.hint().find("--max-work") == std::string::npos);
  }
}

TEST_CASE("counts saturate", "[ops]") {
  const std::int64_t large = std::int64_t{1} << 40, most = INT64_MAX;
  CHECK(saturating_product({large, large, 3}) == most);
  CHECK(saturating_product({large, 0, large}) == 0);
  CHECK(saturating_product({2, 3, 7}) == 42);
  CHECK(saturating_sum(most, 1) == most);
  CHECK(saturating_sum(2, 3) == 5);
}
