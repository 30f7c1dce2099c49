// fold-constants: by evaluation, by shape arithmetic, and of Reshape targets with a symbolic batch.
#include <catch2/catch.hpp>

#include "tests/unit/passes/pass_test.h"

using namespace tinyml;
using test::check_rewrite;
using test::check_unchanged;

namespace {
const std::vector<std::string> kFold{"fold-constants", "remove-dead-code"};
}

TEST_CASE("constant expressions are evaluated", "[passes]") {
  check_rewrite(kFold,
                "input %x: float32[2,2]\nconst %a: float32[2,2] = {1, 2, 3, 4}\nconst %b: float32[2] = {10, 20}\n"
                "%s = Add(%a, %b)\n%t = Transpose(%s) {perm=[1, 0]}\n%y = Mul(%x, %t)\noutput %y",
                "input %x: float32[2,2]\nconst %t: float32[2,2] = {11, 13, 22, 24}\n%y = Mul(%x, %t)\noutput %y");
}

TEST_CASE("what must not fold stays", "[passes]") {
  CHECK(check_unchanged(kFold, "const %a: float32[2] = {1, -2}\n%y = Relu(%a)\noutput %y") ==
        "the result is a graph output");
  CHECK(check_unchanged(kFold,
                        "input %x: float32[2]\nconst %a: float32[2] quant(int8, 0.5, 0) = {1, -2}\n%b = "
                        "Relu(%a)\n%y = Add(%x, %b)\noutput %y") == "an input is quantized");
  CHECK(check_unchanged(kFold,
                        "input %x: float32[2]\nconst %a: float32[2] = {1, -2}\n%b quant(int8, 0.5, 0) = "
                        "Relu(%a)\n%y = Add(%x, %b)\noutput %y") == "an output is a rounding point");
}

TEST_CASE("shape arithmetic over fixed dimensions becomes a constant", "[passes]") {
  check_rewrite(
      kFold,
      "input %x: float32[batch,4,6]\nconst %i: int64[] = {2}\nconst %zero: int64[1] = {0}\nconst %m: int64[1] "
      "= {-1}\n%s = Shape(%x)\n%d = Gather(%s, %i)\n%u = Unsqueeze(%d, %zero)\n%t = Concat(%m, %u) "
      "{axis=0}\n%y = Reshape(%x, %t)\noutput %y",
      "input %x: float32[batch,4,6]\nconst %t: int64[2] = {-1, 6}\n%y = Reshape(%x, %t)\noutput %y");
}

TEST_CASE("the target of a Reshape with a symbolic batch becomes a constant", "[passes]") {
  const std::string head =
      "input %x: float32[batch,4,n]\nconst %i: int64[] = {0}\nconst %zero: int64[1] = {0}\n%s = "
      "Shape(%x)\n%d = Gather(%s, %i)\n%u = Unsqueeze(%d, %zero)\n";
  check_rewrite(kFold,
                head +
                    "const %two: int64[2] = {2, 2}\nconst %j: int64[] = {2}\n%n = Gather(%s, %j)\n%v = "
                    "Unsqueeze(%n, %zero)\n%t = Concat(%u, %two, %v) {axis=0}\n%y = Reshape(%x, %t)\noutput %y",
                "input %x: float32[batch,4,n]\nconst %t: int64[4] = {0, 2, 2, -1}\n%y: float32[batch,2,2,n] = "
                "Reshape(%x, %t)\noutput %y");
  check_rewrite(kFold,
                "input %x: float32[batch,4]\nconst %i: int64[1] = {0}\nconst %two: int64[2] = {2, 2}\n%s = "
                "Shape(%x)\n%u = Gather(%s, %i)\n%t = Concat(%u, %two) {axis=0}\n%y = Reshape(%x, %t)\noutput %y",
                "input %x: float32[batch,4]\nconst %t: int64[3] = {-1, 2, 2}\n%y = Reshape(%x, %t)\noutput %y");
}
