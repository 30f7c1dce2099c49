// eliminate-noops, merge-clamps, use-binary-forms, remove-dead-code, merge-common-subexpressions.
#include <catch2/catch.hpp>

#include "tests/unit/passes/pass_test.h"

using namespace tinyml;
using test::check_rewrite;
using test::check_unchanged;

namespace {

const std::vector<std::string> kNoops{"eliminate-noops", "remove-dead-code"};

// The node between two Relus disappears.
void check_vanishes(const std::string& definitions, const std::string& node) {
  INFO(node);
  check_rewrite(kNoops,
                "input %x: float32[batch,4,6]\n" + definitions + "\n%a = Relu(%x)\n%b = " + node +
                    "\n%y = Sigmoid(%b)\noutput %y",
                "input %x: float32[batch,4,6]\n%a = Relu(%x)\n%y = Sigmoid(%a)\noutput %y");
}

void check_stays(const std::string& definitions, const std::string& node) {
  INFO(node);
  check_unchanged({"eliminate-noops"}, "input %x: float32[batch,4,6]\n" + definitions +
                                           "\n%a = Relu(%x)\n%b = " + node + "\n%y = Sigmoid(%b)\noutput %y");
}

}  // namespace

TEST_CASE("nodes without effect are removed", "[passes]") {
  check_vanishes("", "Identity(%a)");
  check_vanishes("", "Dropout(%a)");
  check_vanishes("", "Cast(%a) {to=1}");
  check_vanishes("", "Transpose(%a) {perm=[0, 1, 2]}");
  check_vanishes("const %p: int64[6] = splat(0)", "Pad(%a, %p)");
  check_vanishes("const %s: int64[1] = {0}\nconst %e: int64[1] = {9223372036854775807}\nconst %d: int64[1] = {0}",
                 "Slice(%a, %s, %e, %d)");
  check_vanishes("const %s: int64[1] = {0}\nconst %e: int64[1] = {6}\nconst %d: int64[1] = {2}",
                 "Slice(%a, %s, %e, %d)");
  check_vanishes("", "Concat(%a) {axis=1}");
  check_vanishes("const %s: int64[3] = {-1, 4, 6}", "Reshape(%a, %s)");
  check_vanishes("const %s: int64[3] = {0, 4, -1}", "Reshape(%a, %s)");
  check_vanishes("const %c: float32[1] = {1}", "Mul(%a, %c)");
  check_vanishes("const %c: float32[4,1] = splat(1)", "Div(%a, %c)");
  check_vanishes("const %c: float32[] = {0}", "Sub(%a, %c)");
  check_vanishes("const %l: float32[] = {-inf}", "Clip(%a, %l)");
  check_vanishes("", "CastLike(%a, %x)");
  check_vanishes("", "Max(%a)");
  check_vanishes("", "Split(%a) {axis=2}");
  check_vanishes("const %s: int64[2] = {4, 1}", "Expand(%a, %s)");
  check_vanishes("const %s: int64[3] = splat(1)", "Tile(%a, %s)");
  check_vanishes("const %s: float32[3] = splat(1)", "Resize(%a, _, %s) {mode=\"linear\"}");
  check_vanishes("const %c: float32[] = {1}", "Pow(%a, %c)");
}

TEST_CASE("nodes with an effect stay", "[passes]") {
  check_stays("", "Cast(%a) {to=11}");
  check_stays("", "Transpose(%a) {perm=[0, 2, 1]}");
  check_stays("const %p: int64[6] = {0, 0, 0, 0, 0, 1}", "Pad(%a, %p)");
  check_stays("const %s: int64[1] = {1}\nconst %e: int64[1] = {9223372036854775807}\nconst %d: int64[1] = {0}",
              "Slice(%a, %s, %e, %d)");
  check_stays("const %s: int64[1] = {0}\nconst %e: int64[1] = {5}\nconst %d: int64[1] = {2}", "Slice(%a, %s, %e, %d)");
  check_stays("const %s: int64[3] = {-1, 6, 4}", "Reshape(%a, %s)");
  check_stays("const %c: float32[1,1,1,1] = splat(1)", "Mul(%a, %c)");
  check_stays("const %c: float32[6] = {1, 1, 1, 1, 1, 2}", "Mul(%a, %c)");
  check_stays("const %c: float32[] = {-0}", "Sub(%a, %c)");
  check_stays("const %c: float32[] = {0}", "Add(%a, %c)");  // -0 + 0 is 0
  check_stays("const %s: int64[3] = {1, 1, 2}", "Tile(%a, %s)");
  check_stays("const %s: float32[3] = splat(1)",
              "Resize(%a, _, %s) {mode=\"nearest\", coordinate_transformation_mode=\"tf_half_pixel_for_nn\"}");
}

TEST_CASE("the graph's interface outlives a node without effect", "[passes]") {
  check_rewrite(kNoops, "input %x: float32[2]\n%a = Relu(%x)\n%y = Identity(%a)\noutput %y",
                "input %x: float32[2]\n%y = Relu(%x)\noutput %y");
  CHECK(check_unchanged(kNoops, "input %x: float32[2]\n%y = Identity(%x)\noutput %y") ==
        "it joins a graph input to a graph output");
  CHECK(check_unchanged(kNoops, "input %x: float32[2]\n%a = Relu(%x)\n%y = Identity(%a)\noutput %a, %y") ==
        "it joins two graph outputs");
}

TEST_CASE("a rounding point survives a node without effect", "[passes]") {
  check_rewrite(kNoops,
                "input %x: float32[2]\n%a = Relu(%x)\n%b quant(int8, 0.5, 0) = Identity(%a)\n%y = "
                "Sigmoid(%b)\noutput %y",
                "input %x: float32[2]\n%a quant(int8, 0.5, 0) = Relu(%x)\n%y = Sigmoid(%a)\noutput %y");
  CHECK(check_unchanged(kNoops,
                        "input %x: float32[2]\n%a = Relu(%x)\n%b quant(int8, 0.5, 0) = Identity(%a)\n%y = "
                        "Add(%b, %a)\noutput %y") == "its output is a rounding point");
  CHECK(check_unchanged(kNoops,
                        "input %x: float32[2]\n%a quant(int8, 0.25, 0) = Relu(%x)\n%b quant(int8, 0.5, 0) = "
                        "Identity(%a)\n%y = Sigmoid(%b)\noutput %y") == "its output is a rounding point");
}

TEST_CASE("clamps merge into one", "[passes]") {
  const std::vector<std::string> passes{"merge-clamps", "eliminate-noops", "remove-dead-code"};
  const std::string head = "input %x: float32[2]\nconst %zero: float32[] = {0}\nconst %six: float32[] = {6}\n";
  const std::string relu = "input %x: float32[2]\n%y = Relu(%x)\noutput %y";
  const std::string clip06 = head + "%y = Clip(%x, %zero, %six)\noutput %y";
  check_rewrite(passes, "input %x: float32[2]\n%a = Relu(%x)\n%b = Relu(%a)\n%y = Relu(%b)\noutput %y", relu);
  check_rewrite(passes, head + "%y = Clip(%x, %zero)\noutput %y", relu);
  check_rewrite(passes, head + "%a = Relu(%x)\n%y = Clip(%a, _, %six)\noutput %y", clip06);
  check_rewrite(passes, head + "%a = Clip(%x, _, %six)\n%y = Relu(%a)\noutput %y", clip06);
  check_rewrite(passes, head + "%a = Max(%zero, %x)\n%y = Min(%a, %six)\noutput %y", clip06);
  check_rewrite(passes, "input %x: float32[2]\nconst %m: float32[1] = {-1}\n%a = Max(%x, %m)\n%y = Relu(%a)\noutput %y",
                relu);
  // Disjoint ranges: everything ends at the second one's edge.
  check_rewrite(passes,
                head +
                    "const %nine: float32[] = {9}\n%a = Clip(%x, %nine)\n%y = Clip(%a, %zero, %six)\noutput "
                    "%y",
                head + "const %also: float32[] = {6}\n%y = Clip(%x, %six, %also)\noutput %y");
  check_unchanged({"merge-clamps"}, clip06);
}

TEST_CASE("clamps on both sides of a rounding point stay apart", "[passes]") {
  CHECK(check_unchanged({"merge-clamps"},
                        "input %x: float32[2]\n%a quant(int8, 0.5, 3) = Relu(%x)\n%y = Relu(%a)\noutput %y") ==
        "a rounding point lies between the two clamps");
}

TEST_CASE("variadic operators take their binary form", "[passes]") {
  const std::string in = "input %x: float32[2]\ninput %z: float32[2]\n";
  check_rewrite({"use-binary-forms"}, in + "%y = Sum(%x, %z)\noutput %y", in + "%y = Add(%x, %z)\noutput %y");
  check_rewrite({"use-binary-forms"}, in + "%y = Mean(%x, %z)\noutput %y",
                in + "const %h: float32[] = {0.5}\n%a = Add(%x, %z)\n%y = Mul(%a, %h)\noutput %y");
  check_rewrite({"use-binary-forms", "remove-dead-code"},
                in + "const %c: float32[2] = {4, -0.5}\n%y = Div(%x, %c)\noutput %y",
                in + "const %c: float32[2] = {0.25, -2}\n%y = Mul(%x, %c)\noutput %y");
  CHECK(check_unchanged({"use-binary-forms"}, in + "const %c: float32[2] = {4, 3}\n%y = Div(%x, %c)\noutput %y") ==
        "not all divisors are powers of two");
}

TEST_CASE("equal expressions are computed once", "[passes]") {
  const std::vector<std::string> passes{"merge-common-subexpressions"};
  check_rewrite(passes,
                "input %x: float32[2]\nconst %a: float32[2] = {1, 2}\nconst %b: float32[2] = {1, 2}\n%p = Add(%x, "
                "%a)\n%q = Add(%b, %x)\n%r = Sigmoid(%p)\n%s = Sigmoid(%q)\n%y = Mul(%r, %s)\noutput %y",
                "input %x: float32[2]\nconst %a: float32[2] = {1, 2}\n%p = Add(%x, %a)\n%r = Sigmoid(%p)\n%y = "
                "Mul(%r, %r)\noutput %y");
  check_unchanged(passes,
                  "input %x: float32[2]\ninput %z: float32[2]\n%p = Sub(%x, %z)\n%q = Sub(%z, %x)\n%y = "
                  "Add(%p, %q)\noutput %y");
  check_unchanged(passes,
                  "input %x: float32[2]\n%p quant(int8, 1, 0) = Relu(%x)\n%q = Relu(%x)\n%y = Add(%p, "
                  "%q)\noutput %y");
  check_unchanged(passes,
                  "input %x: float32[2]\nconst %a: float32[] quant(int8, 1, 0) = {1}\nconst %b: float32[] "
                  "quant(int8, 2, 0) = {1}\n%p = Add(%x, %a)\n%y = Add(%p, %b)\noutput %y");
  CHECK(check_unchanged(passes, "input %x: float32[2]\n%p = Relu(%x)\n%q = Relu(%x)\noutput %p, %q") ==
        "it joins two graph outputs");
}

TEST_CASE("dead code goes, inputs stay", "[passes]") {
  check_rewrite({"remove-dead-code"},
                "input %x: float32[2]\ninput %unused: float32[2]\nconst %c: float32[] = {1}\n%a = Relu(%x)\n%b = "
                "Add(%a, %c)\n%y = Sigmoid(%x)\noutput %y",
                "input %x: float32[2]\ninput %unused: float32[2]\n%y = Sigmoid(%x)\noutput %y");
}
