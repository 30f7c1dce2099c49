// sink-transposes and absorb-transposes: every operator that lets a Transpose pass, regions, rounding points, borders.
#include <catch2/catch.hpp>

#include "tests/unit/passes/pass_test.h"

using namespace tinyml;
using test::check_rewrite;
using test::check_unchanged;

namespace {

const std::vector<std::string> kSink{"sink-transposes", "remove-dead-code"};
const std::vector<std::string> kAbsorb{"absorb-transposes", "merge-reshapes", "remove-dead-code"};

// In a channels-last region between two Transposes, `nodes` compute %b from %a; afterwards `moved` does without them.
void check_passes_through(const std::string& constants, const std::string& nodes, const std::string& moved_constants,
                          const std::string& moved) {
  INFO(nodes);
  check_rewrite(
      kSink,
      "input %x: float32[batch,3,4,6]\n" + constants +
          "%r = Sigmoid(%x)\n%a = Transpose(%r) {perm=[0, 2, 3, "
          "1]}\n" +
          nodes + "%c = Transpose(%b) {perm=[0, 3, 1, 2]}\n%y = Relu(%c)\noutput %y",
      "input %x: float32[batch,3,4,6]\n" + moved_constants + "%a = Sigmoid(%x)\n" + moved + "%y = Relu(%b)\noutput %y");
}

}  // namespace

TEST_CASE("inverse Transposes vanish, others merge", "[passes]") {
  check_passes_through("", "%b = Relu(%a)\n", "", "%b = Relu(%a)\n");
  check_rewrite(kSink,
                "input %x: float32[2,3,4]\n%a = Transpose(%x) {perm=[1, 2, 0]}\n%b = Transpose(%a) {perm=[0, 2, "
                "1]}\n%y = Relu(%b)\noutput %y",
                "input %x: float32[2,3,4]\n%b = Relu(%x)\n%y = Transpose(%b) {perm=[1, 0, 2]}\noutput %y");
}

TEST_CASE("Transposes pass through elementwise operators with their constants", "[passes]") {
  check_passes_through("const %k: float32[3] = {1, 2, 3}\n", "%b = Add(%a, %k)\n",
                       "const %k: float32[1,3,1,1] = {1, 2, 3}\n", "%b = Add(%a, %k)\n");
  check_passes_through("const %k: float32[4,1,3] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}\n", "%b = Mul(%k, %a)\n",
                       "const %k: float32[1,3,4,1] = {1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12}\n", "%b = Mul(%k, %a)\n");
  check_passes_through("const %k: float32[] = {2}\n", "%b = Sub(%k, %a)\n", "const %k: float32[] = {2}\n",
                       "%b = Sub(%k, %a)\n");
  check_passes_through("const %l: float32[] = {-1}\nconst %h: float32[] = {1}\n", "%b = Clip(%a, %l, %h)\n",
                       "const %l: float32[] = {-1}\nconst %h: float32[] = {1}\n", "%b = Clip(%a, %l, %h)\n");
  check_passes_through("", "%s = Sigmoid(%a)\n%b = Mul(%s, %a)\n", "", "%s = Sigmoid(%a)\n%b = Mul(%s, %a)\n");
  check_passes_through("const %k: float32[3] = {0.1, 0.2, 0.3}\n", "%b = PRelu(%a, %k)\n",
                       "const %k: float32[1,3,1,1] = {0.1, 0.2, 0.3}\n", "%b = PRelu(%a, %k)\n");
}

TEST_CASE("every operator that takes its elements one by one lets a Transpose pass", "[passes]") {
  for (const std::string op : {"Sign", "Sin", "Cos", "Softplus", "Softsign", "Selu", "Celu", "ThresholdedRelu", "Neg"})
    check_passes_through("", "%b = " + op + "(%a)\n", "", "%b = " + op + "(%a)\n");
  check_passes_through("const %k: float32[3] = {1, 2, 3}\n", "%m = Mod(%a, %k) {fmod=1}\n%b = Exp(%m)\n",
                       "const %k: float32[1,3,1,1] = {1, 2, 3}\n", "%m = Mod(%a, %k) {fmod=1}\n%b = Exp(%m)\n");
  const std::string nodes =
      "%m = LessOrEqual(%a, %k)\n%n = GreaterOrEqual(%l, %a)\n%o = Xor(%m, %n)\n%p = Not(%o)\n%b = Cast(%p) {to=1}\n";
  check_passes_through("const %k: float32[3] = {1, 0.5, 0}\nconst %l: float32[3] = {0, 0.5, 1}\n", nodes,
                       "const %k: float32[1,3,1,1] = {1, 0.5, 0}\nconst %l: float32[1,3,1,1] = {0, 0.5, 1}\n", nodes);
}

TEST_CASE("Transposes pass through operators with axes", "[passes]") {
  check_passes_through("const %p: int64[4] = {1, 2, 3, 0}\nconst %d: int64[2] = {-1, 1}\n", "%b = Pad(%a, %p, _, %d)\n",
                       "const %p: int64[4] = {1, 2, 3, 0}\nconst %d: int64[2] = {1, 2}\n", "%b = Pad(%a, %p, _, %d)\n");
  check_passes_through("", "%b = ReduceMax(%a)\n", "", "%b = ReduceMax(%a)\n");
  check_passes_through("", "%b = Concat(%a, %a) {axis=3}\n", "", "%b = Concat(%a, %a) {axis=1}\n");
  check_passes_through("", "%b = Concat(%a, %a) {axis=-2}\n", "", "%b = Concat(%a, %a) {axis=3}\n");
  check_passes_through("", "%b = Softmax(%a)\n", "", "%b = Softmax(%a) {axis=1}\n");
  check_passes_through("const %s: int64[2] = {1, 2}\n",
                       "%p, %q = Split(%a, %s) {axis=3}\n%b = Concat(%q, %p) "
                       "{axis=3}\n",
                       "const %s: int64[2] = {1, 2}\n",
                       "%p, %q = Split(%a, %s) {axis=1}\n%b = Concat(%q, %p) "
                       "{axis=1}\n");
  check_passes_through("const %p: int64[8] = {0, 1, 2, 0, 0, 3, 4, 5}\n", "%b = Pad(%a, %p)\n",
                       "const %p: int64[8] = {0, 0, 1, 2, 0, 5, 3, 4}\n", "%b = Pad(%a, %p)\n");
  check_passes_through("const %s: int64[2] = {1, 0}\nconst %e: int64[2] = {3, 2}\nconst %d: int64[2] = {1, -1}\n",
                       "%b = Slice(%a, %s, %e, %d)\n",
                       "const %s: int64[2] = {1, 0}\nconst %e: int64[2] = {3, 2}\nconst %d: int64[2] = {2, 1}\n",
                       "%b = Slice(%a, %s, %e, %d)\n");
  check_passes_through("const %s: int64[2] = {0, 1}\nconst %e: int64[2] = {9, 3}\n", "%b = Slice(%a, %s, %e)\n",
                       "const %s: int64[2] = {0, 1}\nconst %e: int64[2] = {9, 3}\nconst %d: int64[2] = {0, 2}\n",
                       "%b = Slice(%a, %s, %e, %d)\n");
  check_passes_through("const %d: int64[2] = {1, 2}\n", "%b = ReduceMean(%a, %d)\n", "const %d: int64[2] = {2, 3}\n",
                       "%b = ReduceMean(%a, %d)\n");
  check_passes_through("const %k: float32[4] = {1, 2, 3, 1}\n", "%b = Resize(%a, _, %k) {mode=\"nearest\"}\n",
                       "const %k: float32[4] = {1, 1, 2, 3}\n", "%b = Resize(%a, _, %k) {mode=\"nearest\"}\n");
  check_passes_through("const %k: int64[4] = {1, 2, 3, 4}\n", "%b = Tile(%a, %k)\n",
                       "const %k: int64[4] = {1, 4, 2, 3}\n", "%b = Tile(%a, %k)\n");
}

TEST_CASE("a reduction that drops the moved axes drops the Transpose", "[passes]") {
  const std::string in = "input %x: float32[batch,3,4,6]\n%r = Relu(%x)\n";
  check_rewrite(kSink,
                in + "const %d: int64[2] = {1, 2}\n%a = Transpose(%r) {perm=[0, 2, 3, 1]}\n%y = ReduceMax(%a, "
                     "%d) {keepdims=0}\noutput %y",
                in + "const %d: int64[2] = {2, 3}\n%y = ReduceMax(%r, %d) {keepdims=0}\noutput %y");
  check_rewrite(kSink, in + "%a = Transpose(%r) {perm=[0, 2, 3, 1]}\n%y = ArgMax(%a) {axis=3, keepdims=0}\noutput %y",
                in + "%y = ArgMax(%r) {axis=1, keepdims=0}\noutput %y");
  // Reducing the height leaves [batch, width, channels]: one Transpose of fewer elements.
  check_rewrite(kSink,
                in + "const %d: int64[1] = {1}\n%a = Transpose(%r) {perm=[0, 2, 3, 1]}\n%y = ReduceSum(%a, %d) "
                     "{keepdims=0}\noutput %y",
                in + "const %d: int64[1] = {2}\n%a = ReduceSum(%r, %d) {keepdims=0}\n%y = Transpose(%a) {perm=[0, 2, "
                     "1]}\noutput %y");
}

TEST_CASE("a residual block in channels-last form loses all Transposes", "[passes]") {
  const std::string weights =
      "input %x: float32[batch,2,4,4]\nconst %w: float32[2,2,1,1] = {1, 2, 3, 4}\nconst %v: "
      "float32[2,2,1,1] = {5, 6, 7, 8}\n";
  check_rewrite(kSink,
                weights +
                    "%c = Conv(%x, %w)\n%a = Transpose(%c) {perm=[0, 2, 3, 1]}\n%r = Relu(%a)\n%t = "
                    "Transpose(%r) {perm=[0, 3, 1, 2]}\n%d = Conv(%t, %v)\n%e = Transpose(%d) {perm=[0, 2, 3, "
                    "1]}\n%s = Add(%r, %e)\n%u = Relu(%s)\n%z = Transpose(%u) {perm=[0, 3, 1, 2]}\n%y = Conv(%z, "
                    "%w)\noutput %y",
                weights +
                    "%c = Conv(%x, %w)\n%r = Relu(%c)\n%d = Conv(%r, %v)\n%s = Add(%r, %d)\n%u = Relu(%s)\n%y = "
                    "Conv(%u, %w)\noutput %y");
}

TEST_CASE("border Transposes stay, outputs keep their names and shapes", "[passes]") {
  check_unchanged(kSink,
                  "input %x: float32[batch,4,4,2]\n%a = Transpose(%x) {perm=[0, 3, 1, 2]}\n%y = Relu(%a)\noutput "
                  "%y");
  const std::string in = "input %x: float32[batch,2,4,4]\n%r = Sigmoid(%x)\n";
  check_rewrite(kSink, in + "%a = Transpose(%r) {perm=[0, 2, 3, 1]}\n%y = Relu(%a)\noutput %y",
                in + "%b = Relu(%r)\n%y = Transpose(%b) {perm=[0, 2, 3, 1]}\noutput %y");
  check_rewrite(kSink, in + "%a = Transpose(%r) {perm=[0, 2, 3, 1]}\n%y = Transpose(%a) {perm=[0, 3, 1, 2]}\noutput %y",
                "input %x: float32[batch,2,4,4]\n%y = Sigmoid(%x)\noutput %y");
  check_rewrite(kSink,
                "input %x: float32[batch,2,4,4]\n%a = Transpose(%x) {perm=[0, 2, 3, 1]}\n%y = Transpose(%a) {perm=[0, "
                "3, 1, 2]}\noutput %y",
                "input %x: float32[batch,2,4,4]\n%y = Identity(%x)\noutput %y");
}

TEST_CASE("a Transpose that two users would double stays", "[passes]") {
  check_unchanged(kSink,
                  "input %x: float32[2,3,4]\nconst %s: int64[1] = {-1}\n%r = Sigmoid(%x)\n%a = Transpose(%r) "
                  "{perm=[0, 2, 1]}\n%b = Relu(%a)\n%c = Tanh(%a)\n%y = Reshape(%b, %s)\n%z = Reshape(%c, "
                  "%s)\noutput %y, %z");
  // One side cancels: what remains is not more than before.
  check_rewrite(kSink,
                "input %x: float32[2,3,4]\nconst %s: int64[1] = {-1}\n%r = Sigmoid(%x)\n%a = Transpose(%r) "
                "{perm=[0, 2, 1]}\n%b = Relu(%a)\n%y = Transpose(%b) {perm=[0, 2, 1]}\n%z = Reshape(%a, "
                "%s)\noutput %y, %z",
                "input %x: float32[2,3,4]\nconst %s: int64[1] = {-1}\n%r = Sigmoid(%x)\n%a = Transpose(%r) {perm=[0, "
                "2, 1]}\n%y = Relu(%r)\n%z = Reshape(%a, %s)\noutput %y, %z");
}

TEST_CASE("rounding points move with their values", "[passes]") {
  const std::string q = " quant(int8, 0.05, 3)";
  check_rewrite(kSink,
                "input %x: float32[batch,2,4,4]\nconst %k: float32[2] quant(int8, [0.5, 0.25], [0, 0], axis 0) = {3, "
                "4}\n%r" +
                    q + " = Sigmoid(%x)\n%a" + q + " = Transpose(%r) {perm=[0, 2, 3, 1]}\n%b" + q +
                    " = Add(%a, %k)\n%c" + q + " = Transpose(%b) {perm=[0, 3, 1, 2]}\n%y = Relu(%c)\noutput %y",
                "input %x: float32[batch,2,4,4]\nconst %k: float32[1,2,1,1] quant(int8, [0.5, 0.25], [0, 0], axis 1) "
                "= {3, 4}\n%r" +
                    q + " = Sigmoid(%x)\n%b" + q + " = Add(%r, %k)\n%y = Relu(%b)\noutput %y");
  // A rounding point that only the Transpose's output has moves before it; two different ones stay.
  const auto text = [](const std::string& before, const std::string& behind) {
    return "input %x: float32[batch,2,4,4]\n%r" + before + " = Sigmoid(%x)\n%a" + behind +
           " = Transpose(%r) {perm=[0, 2, 3, 1]}\n%y = Transpose(%a) {perm=[0, 3, 1, 2]}\n%z = Relu(%y)\noutput %z";
  };
  check_rewrite(kSink, text("", q),
                "input %x: float32[batch,2,4,4]\n%r" + q + " = Sigmoid(%x)\n%z = Relu(%r)\noutput %z");
  check_rewrite(kSink, text(" quant(int8, 0.5, 0)", q),
                "input %x: float32[batch,2,4,4]\n%r quant(int8, 0.5, 0) = Sigmoid(%x)\n%a" + q +
                    " = Transpose(%r) {perm=[0, 2, 3, 1]}\n%b = Relu(%a)\n%z = Transpose(%b) {perm=[0, 3, 1, "
                    "2]}\noutput %z");
}

TEST_CASE("a Transpose that moves only axes of size 1 joins a reshape", "[passes]") {
  check_rewrite(kAbsorb,
                "input %x: float32[batch,8,1,1]\nconst %s: int64[2] = {-1, 8}\n%r = Relu(%x)\n%a = Transpose(%r) "
                "{perm=[0, 2, 3, 1]}\n%y = Reshape(%a, %s)\noutput %y",
                "input %x: float32[batch,8,1,1]\n%r = Relu(%x)\n%y = Flatten(%r) {axis=1}\noutput %y");
  check_rewrite(kAbsorb,
                "input %x: float32[batch,8]\nconst %s: int64[4] = {-1, 1, 1, 8}\n%a = Reshape(%x, %s)\n%b = "
                "Transpose(%a) {perm=[0, 3, 1, 2]}\n%y = Relu(%b)\noutput %y",
                "input %x: float32[batch,8]\nconst %s: int64[4] = {-1, 8, 1, 1}\n%b = Reshape(%x, %s)\n%y = "
                "Relu(%b)\noutput %y");
  check_unchanged(kAbsorb,
                  "input %x: float32[batch,2,3]\nconst %s: int64[1] = {-1}\n%a = Transpose(%x) {perm=[0, 2, "
                  "1]}\n%y = Reshape(%a, %s)\noutput %y");
}

TEST_CASE("a Transpose before Flatten goes into the weights of the dense layer", "[passes]") {
  const std::string in = "input %x: float32[batch,2,1,3]\n";
  const std::string before = "%a = Transpose(%x) {perm=[0, 2, 3, 1]}\n%f = Flatten(%a)\n";
  check_rewrite(kAbsorb,
                in + "const %w: float32[2,6] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}\n" + before +
                    "%y = Gemm(%f, %w) {transB=1}\noutput %y",
                in +
                    "const %w: float32[2,6] = {1, 3, 5, 2, 4, 6, 7, 9, 11, 8, 10, 12}\n%f = Flatten(%x) {axis=1}\n%y = "
                    "Gemm(%f, %w) {transB=1}\noutput %y");
  check_rewrite(kAbsorb,
                in + "const %w: float32[6,1] quant(int8, 0.5, 0) = {1, 2, 3, 4, 5, 6}\n" + before +
                    "%y = MatMul(%f, %w)\noutput %y",
                in + "const %w: float32[6,1] quant(int8, 0.5, 0) = {1, 3, 5, 2, 4, 6}\n%f = Flatten(%x) {axis=1}\n%y = "
                     "MatMul(%f, %w)\noutput %y");
  CHECK(check_unchanged(kAbsorb, in + before + "%y = Relu(%f)\noutput %y") ==
        "what follows the Flatten is no dense layer with constant weights");
}

TEST_CASE("a Transpose behind a dense layer's Reshape goes into its weights", "[passes]") {
  const std::string in = "input %x: float32[batch,2]\nconst %s: int64[4] = {-1, 1, 3, 2}\n";
  const std::string tail =
      "%r = Relu(%g)\n%v = Reshape(%r, %s)\n%t = Transpose(%v) {perm=[0, 3, 1, 2]}\n%y = "
      "Sigmoid(%t)\noutput %y";
  check_rewrite(
      kAbsorb,
      in +
          "const %w: float32[6,2] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}\nconst %b: float32[6] = {1, 2, "
          "3, 4, 5, 6}\n%g = Gemm(%x, %w, %b) {transB=1}\n" +
          tail,
      "input %x: float32[batch,2]\nconst %w: float32[6,2] = {1, 2, 5, 6, 9, 10, 3, 4, 7, 8, 11, 12}\nconst %b: "
      "float32[6] = {1, 3, 5, 2, 4, 6}\nconst %s: int64[4] = {-1, 2, 1, 3}\n%g = Gemm(%x, %w, %b) "
      "{transB=1}\n%r = Relu(%g)\n%t = Reshape(%r, %s)\n%y = Sigmoid(%t)\noutput %y");
  check_rewrite(kAbsorb,
                in + "const %w: float32[2,6] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}\n%g = Gemm(%x, %w)\n" + tail,
                "input %x: float32[batch,2]\nconst %w: float32[2,6] = {1, 3, 5, 2, 4, 6, 7, 9, 11, 8, 10, 12}\nconst "
                "%s: int64[4] = {-1, 2, 1, 3}\n%g = Gemm(%x, %w)\n%r = Relu(%g)\n%t = Reshape(%r, %s)\n%y = "
                "Sigmoid(%t)\noutput %y");
}

TEST_CASE("an operand from elsewhere is reshaped, or transposed where that saves two", "[passes]") {
  const std::string in =
      "input %x: float32[batch,2,3,4]\ninput %g: float32[batch,1,1,2]\ninput %z: "
      "float32[batch,3,4,2]\n";
  const std::string before = "%r = Sigmoid(%x)\n%a = Transpose(%r) {perm=[0, 2, 3, 1]}\n";
  const std::string behind = "%c = Transpose(%b) {perm=[0, 3, 1, 2]}\n%y = Relu(%c)\noutput %y";
  check_rewrite(kSink, in + before + "%b = Mul(%a, %g)\n" + behind,
                in + "const %s: int64[4] = {-1, 2, 1, 1}\n%r = Sigmoid(%x)\n%h = Reshape(%g, %s)\n%b = Mul(%r, "
                     "%h)\n%y = Relu(%b)\noutput %y");
  check_rewrite(kSink, in + before + "%b = Add(%a, %z)\n" + behind,
                in + "%r = Sigmoid(%x)\n%h = Transpose(%z) {perm=[0, 3, 1, 2]}\n%b = Add(%r, %h)\n%y = "
                     "Relu(%b)\noutput %y");
  check_unchanged(kSink, in + before + "%b = Add(%a, %z)\n%y = GlobalMaxPool(%b)\noutput %y");
  check_rewrite(kSink,
                "input %x: float32[1,2,1,3]\nconst %q: float32[1,1,3,2] = {1, 2, 3, 4, 5, 6}\n" + before +
                    "%b = Concat(%a, %q) {axis=1}\n" + behind,
                "input %x: float32[1,2,1,3]\nconst %q: float32[1,2,1,3] = {1, 3, 5, 2, 4, 6}\n%r = Sigmoid(%x)\n%b = "
                "Concat(%r, %q) {axis=2}\n%y = Relu(%b)\noutput %y");
}

TEST_CASE("squeeze and excite in channels-last form loses all Transposes", "[passes]") {
  const std::string in = "input %x: float32[batch,2,3,4]\nconst %w: float32[2,2,1,1] = {1, 2, 3, 4}\n";
  check_rewrite({},
                in + "const %d: int64[2] = {1, 2}\nconst %m: float32[2,2] = {1, 2, 3, 5}\nconst %s: int64[4] = {-1, "
                     "1, 1, 2}\n%c = Conv(%x, %w)\n%a = Transpose(%c) {perm=[0, 2, 3, 1]}\n%r = Relu(%a)\n%p = "
                     "ReduceMean(%r, %d) {keepdims=0}\n%f = MatMul(%p, %m)\n%g = Sigmoid(%f)\n%h = Reshape(%g, "
                     "%s)\n%e = Mul(%r, %h)\n%t = Transpose(%e) {perm=[0, 3, 1, 2]}\n%y = Conv(%t, %w)\noutput %y",
                in + "const %m: float32[2,2] = {1, 3, 2, 5}\nconst %s: int64[4] = {-1, 2, 1, 1}\n%c = Conv(%x, %w)\n%r "
                     "= Relu(%c)\n%p = GlobalAveragePool(%r)\n%q = Flatten(%p) {axis=1}\n%f = Gemm(%q, %m) "
                     "{transB=1}\n%g = Sigmoid(%f)\n%h = Reshape(%g, %s)\n%e = Mul(%r, %h)\n%y = Conv(%e, %w)\noutput "
                     "%y");
}
