// merge-reshapes, use-global-pools, fuse-activations.
#include <catch2/catch.hpp>

#include "tests/unit/passes/pass_test.h"

using namespace tinyml;
using test::check_rewrite;
using test::check_unchanged;

namespace {
const std::vector<std::string> kReshapes{"merge-reshapes", "eliminate-noops", "remove-dead-code"};
const std::vector<std::string> kPools{"use-global-pools", "remove-dead-code"};
const std::vector<std::string> kFuse{"fuse-activations", "remove-dead-code"};
}  // namespace

TEST_CASE("chains of reshapes become one", "[passes]") {
  const std::string in = "input %x: float32[batch,4,1,6]\n";
  const std::string flat = in + "%y = Flatten(%x) {axis=1}\noutput %y";
  check_rewrite(kReshapes, in + "const %s: int64[2] = {-1, 24}\n%y = Reshape(%x, %s)\noutput %y", flat);
  check_rewrite(kReshapes, in + "const %s: int64[3] = {0, 2, 12}\n%a = Reshape(%x, %s)\n%y = Flatten(%a)\noutput %y",
                flat);
  check_rewrite(kReshapes,
                in + "const %two: int64[1] = {2}\nconst %s: int64[2] = {-1, 24}\n%a = Squeeze(%x, %two)\n%b = "
                     "Reshape(%a, %s)\n%y = Relu(%b)\noutput %y",
                in + "%b = Flatten(%x) {axis=1}\n%y = Relu(%b)\noutput %y");
  check_rewrite(kReshapes,
                in + "const %two: int64[1] = {2}\n%a = Squeeze(%x, %two)\n%b = Unsqueeze(%a, %two)\n%y = "
                     "Relu(%b)\noutput %y",
                in + "%y = Relu(%x)\noutput %y");
  check_rewrite(kReshapes,
                in + "const %s: int64[2] = {-1, 24}\nconst %t: int64[3] = {-1, 8, 3}\n%a = Reshape(%x, "
                     "%s)\n%y = Reshape(%a, %t)\noutput %y, %a",
                in + "const %t: int64[3] = {-1, 8, 3}\n%a = Flatten(%x) {axis=1}\n%y = Reshape(%x, %t)\noutput %y, %a");
}

TEST_CASE("reshapes that mean something stay", "[passes]") {
  check_unchanged(kReshapes, "input %x: float32[batch,4,6]\n%y = Flatten(%x) {axis=2}\noutput %y");
  check_unchanged(kReshapes, "input %x: float32[2,3]\nconst %s: int64[2] = {3, 2}\n%y = Reshape(%x, %s)\noutput %y");
  const std::string chain =
      "const %s: int64[3] = {-1, 1, 4}\nconst %t: int64[3] = {-1, 2, 2}\n%a QUANT = Reshape(%x, "
      "%s)\n%y = Reshape(%a, %t)\noutput %y";
  const auto with = [&](const std::string& input, const std::string& quant) {
    std::string text = input + chain;
    return text.replace(text.find("QUANT"), 5, quant);
  };
  CHECK(check_unchanged(kReshapes, with("input %x: float32[batch,4,1]\n", "quant(int8, 0.5, 0)")) ==
        "a rounding point lies between");
  check_rewrite(kReshapes, with("input %x: float32[batch,4,1] quant(int8, 0.5, 0)\n", "quant(int8, 0.5, 0)"),
                "input %x: float32[batch,4,1] quant(int8, 0.5, 0)\nconst %t: int64[3] = {-1, 2, 2}\n%y = Reshape(%x, "
                "%t)\noutput %y");
}

TEST_CASE("pools over the whole map are global", "[passes]") {
  const std::string in = "input %x: float32[batch,2,3,5]\n";
  const std::string mean = in + "%y = GlobalAveragePool(%x)\noutput %y";
  check_rewrite(kPools, in + "%y = AveragePool(%x) {kernel_shape=[3, 5], strides=[3, 5]}\noutput %y", mean);
  check_rewrite(kPools, in + "%y = MaxPool(%x) {kernel_shape=[3, 5]}\noutput %y",
                in + "%y = GlobalMaxPool(%x)\noutput %y");
  check_rewrite(kPools, in + "const %a: int64[2] = {-1, 2}\n%y = ReduceMean(%x, %a)\noutput %y", mean);
  check_rewrite(kPools, in + "const %a: int64[2] = {2, 3}\n%y = ReduceMax(%x, %a) {keepdims=0}\noutput %y",
                in + "%m = GlobalMaxPool(%x)\n%y = Flatten(%m) {axis=1}\noutput %y");
  check_rewrite(kPools,
                in + "const %a: int64[2] = {2, 3}\n%y quant(int8, 0.1, 5) = ReduceMean(%x, %a) "
                     "{keepdims=0}\noutput %y",
                in + "%m quant(int8, 0.1, 5) = GlobalAveragePool(%x)\n%y quant(int8, 0.1, 5) = Flatten(%m) "
                     "{axis=1}\noutput %y");
  check_unchanged(kPools, in + "%y = AveragePool(%x) {kernel_shape=[3, 5], pads=[0, 0, 0, 1]}\noutput %y");
  check_unchanged(kPools, in + "%y = AveragePool(%x) {kernel_shape=[3, 4]}\noutput %y");
  check_unchanged(kPools, in + "const %a: int64[2] = {1, 2}\n%y = ReduceMean(%x, %a)\noutput %y");
  check_unchanged(kPools, in + "const %a: int64[1] = {3}\n%y = ReduceMean(%x, %a)\noutput %y");
}

TEST_CASE("hard activations are recognised in every spelling", "[passes]") {
  const std::string in =
      "input %x: float32[batch,3]\nconst %three: float32[] = {3}\nconst %zero: float32[] = {0}\n"
      "const %six: float32[] = {6}\nconst %sixth: float32[] = {0.16666667}\n";
  const std::string gate = "%a = Add(%x, %three)\n%c = Clip(%a, %zero, %six)\n";
  const std::string swish = "input %x: float32[batch,3]\n%y = HardSwish(%x)\noutput %y";
  check_rewrite(kFuse, in + gate + "%y = Div(%c, %six)\noutput %y",
                "input %x: float32[batch,3]\n%y = HardSigmoid(%x) {alpha=0.16666667f, beta=0.5f}\noutput %y");
  check_rewrite(kFuse, in + gate + "%m = Mul(%x, %c)\n%y = Div(%m, %six)\noutput %y", swish);
  check_rewrite(kFuse, in + gate + "%m = Mul(%c, %sixth)\n%y = Mul(%m, %x)\noutput %y", swish);
  check_rewrite(kFuse, in + "%h = HardSigmoid(%x) {alpha=0.16666667f}\n%y = Mul(%h, %x)\noutput %y", swish);
  check_unchanged({"fuse-activations"}, in + "%h = HardSigmoid(%x)\n%y = Mul(%h, %x)\noutput %y");
  check_unchanged({"fuse-activations"}, in + gate + "%y = Div(%c, %three)\noutput %y");
  check_unchanged({"fuse-activations"}, in + gate + "%y = Div(%c, %six)\noutput %y, %c");
  check_unchanged({"fuse-activations"},
                  in + "%h quant(int8, 0.1, 0) = HardSigmoid(%x) {alpha=0.16666667f}\n%y = Mul(%h, %x)\noutput "
                       "%y");
  check_unchanged({"fuse-activations"},
                  in + "input %z: float32[batch,3]\n%h = HardSigmoid(%x) {alpha=0.16666667f}\n%y = Mul(%h, "
                       "%z)\noutput %y");
}

TEST_CASE("Gelu is recognised by its error function", "[passes]") {
  const std::string in =
      "input %x: float32[batch,3]\nconst %r: float32[] = {1.4142135}\nconst %ir: float32[] = "
      "{0.70710677}\nconst %one: float32[] = {1}\nconst %half: float32[] = {0.5}\n";
  const std::string gelu = "input %x: float32[batch,3]\n%y = Gelu(%x)\noutput %y";
  check_rewrite(kFuse,
                in + "%a = Div(%x, %r)\n%e = Erf(%a)\n%s = Add(%e, %one)\n%m = Mul(%x, %s)\n%y = Mul(%m, "
                     "%half)\noutput %y",
                gelu);
  check_rewrite(kFuse,
                in + "%a = Mul(%x, %ir)\n%e = Erf(%a)\n%s = Add(%one, %e)\n%h = Mul(%half, %x)\n%y = Mul(%h, "
                     "%s)\noutput %y",
                gelu);
  check_unchanged({"fuse-activations"},
                  in + "%e = Erf(%x)\n%s = Add(%e, %one)\n%m = Mul(%x, %s)\n%y = Mul(%m, %half)\noutput %y");
}
