// verify_rewrite: it must find a wrong rewrite, name the output, and say when nothing was proved.
#include "passes/verify_rewrite.h"

#include <catch2/catch.hpp>

#include "lib/support/error.h"
#include "tests/unit/passes/pass_test.h"

using namespace tinyml;

namespace {

const std::string kHead = "input %x: float32[batch,3]\nconst %c: float32[] = {2}\n";

std::string fault(const std::string& before, const std::string& after) {
  ThreadPool threads(1);
  try {
    verify_rewrite(test::typed(before), test::typed(after), threads);
  } catch (const Error& error) {
    CHECK(error.kind() == ExitCode::internal);
    return error.message();
  }
  return "none";
}

}  // namespace

TEST_CASE("a wrong rewrite is found and the output named", "[passes]") {
  const std::string good = kHead + "%y = Relu(%x)\n%z = Mul(%x, %c)\noutput %y, %z";
  CHECK(fault(good, good) == "none");
  CHECK(fault(good, kHead + "%y = Relu(%x)\n%z = Add(%x, %x)\noutput %y, %z") == "none");
  CHECK(fault(good, kHead + "%y = Relu(%x)\n%z = Add(%x, %c)\noutput %y, %z").find("at output 'z' by") !=
        std::string::npos);
  CHECK(fault(good, kHead + "%y = Relu(%x)\nconst %d: float32[] = {2.001}\n%z = Mul(%x, %d)\noutput %y, %z")
            .find("at output 'z' by 0.0005 of its largest value (tolerance 1e-04)") != std::string::npos);
  CHECK(fault(good, kHead + "%y = Relu(%x)\n%w = Mul(%x, %c)\noutput %y, %w").find("changed the names") !=
        std::string::npos);
}

TEST_CASE("a lost rounding point is found", "[passes]") {
  CHECK(fault(kHead + "%a quant(int8, 1, 0) = Mul(%x, %c)\n%y = Relu(%a)\noutput %y",
              kHead + "%a = Mul(%x, %c)\n%y = Relu(%a)\noutput %y") != "none");
}

TEST_CASE("inputs are random, reproducible and fit their types", "[passes]") {
  const Graph graph = test::typed(
      "input %x: float32[batch,3,n]\ninput %i: int64[batch]\ninput %u: uint8[4,n]\n%y = Relu(%x)\noutput %y");
  const auto a = random_inputs(graph, 5, 1), b = random_inputs(graph, 5, 1), c = random_inputs(graph, 5, 2);
  CHECK(a[0].dims() == Dims{5, 3, 8});
  CHECK(a[1].dims() == Dims{5});
  CHECK(a[2].dims() == Dims{4, 8});
  CHECK(a[2].dtype() == DType::u8);
  for (std::size_t i = 0; i < 3; ++i) CHECK(a[i] == b[i]);
  CHECK(!(a[0] == c[0]));
}

TEST_CASE("an overflow of the model's own is no fault of the rewrite", "[passes]") {
  ThreadPool threads(1);
  const std::string head =
      "input %x: float32[batch,3]\nconst %big: float32[] = {1e38}\nconst %up: float32[] = {1e30}\n";
  const Graph infinite = test::typed(head + "%a = Mul(%x, %big)\n%y = Mul(%a, %up)\noutput %y");
  const RewriteCheck same = verify_rewrite(infinite, infinite, threads);
  CHECK(same.executed);
  CHECK(same.elements == 6);
  CHECK(same.not_finite == 6);
  // (x + 1e30) - 1e30 loses x; a rewrite that keeps it is not wrong, but nothing is proved.
  const Graph lost = test::typed(head + "%a = Add(%x, %up)\n%y = Sub(%a, %up)\noutput %y");
  const Graph kept = test::typed(head + "%y = Identity(%x)\noutput %y");
  const RewriteCheck check = verify_rewrite(lost, kept, threads);
  CHECK(!check.executed);
  CHECK(check.reason.find("the values of 'a'") == 0);
}
