// fold-batchnorm, fold-channel-affine, normalize-gemm, fold-padding: folded constants against values computed by hand,
// results against execution.
#include <catch2/catch.hpp>

#include "tests/unit/passes/pass_test.h"

using namespace tinyml;
using test::check_rewrite;
using test::check_unchanged;

namespace {

const std::vector<std::string> kBatchNorm{"fold-batchnorm", "remove-dead-code"};
const std::vector<std::string> kAffine{"fold-channel-affine", "remove-dead-code"};
const std::vector<std::string> kGemm{"normalize-gemm", "fold-channel-affine", "remove-dead-code"};
const std::vector<std::string> kPadding{"fold-padding", "remove-dead-code"};

// Scale 2 and -1, shift 1 - 3 * 2 = -5 and 0 - 0.5 * -1 = 0.5 (variance + epsilon = 0.25 and 4).
const std::string kNorm =
    "const %gamma: float32[2] = {1, -2}\nconst %beta: float32[2] = {1, 0}\n"
    "const %mean: float32[2] = {3, 0.5}\nconst %var: float32[2] = {0, 3.75}\n";
const std::string kNormCall = "BatchNormalization(%a, %gamma, %beta, %mean, %var) {epsilon=0.25f}";

}  // namespace

TEST_CASE("BatchNormalization folds into the Conv before it", "[passes]") {
  const std::string in = "input %x: float32[batch,1,2,2]\n";
  check_rewrite(kBatchNorm,
                in + kNorm + "const %w: float32[2,1,1,1] = {3, 4}\n%a = Conv(%x, %w) {kernel_shape=[1, 1]}\n%b = " +
                    kNormCall + "\n%y = Relu(%b)\noutput %y",
                in + "const %w: float32[2,1,1,1] = {6, -4}\nconst %b: float32[2] = {-5, 0.5}\n%a = Conv(%x, %w, %b) "
                     "{kernel_shape=[1, 1]}\n%y = Relu(%a)\noutput %y");
  // Padding does not matter behind the Conv; the old bias is scaled too; the folded node names both origins.
  check_rewrite(kBatchNorm,
                in + kNorm +
                    "const %w: float32[2,1,1,1] = {3, 4}\nconst %c: float32[2] = {10, 20}\n%a = Conv(%x, %w, "
                    "%c) {pads=[1, 1, 1, 1]}\n%y = " +
                    kNormCall + "\noutput %y",
                in + "const %w: float32[2,1,1,1] = {6, -4}\nconst %b: float32[2] = {15, -19.5}\n%y = Conv(%x, %w, %b) "
                     "{pads=[1, 1, 1, 1]}\noutput %y");
}

TEST_CASE("a folded node keeps the names of both", "[passes]") {
  Graph graph =
      test::typed("input %x: float32[1,1,2,2]\n" + kNorm +
                  "const %w: float32[2,1,1,1] = {3, 4}\n%a = Conv(%x, %w)\n%y = " + kNormCall + "\noutput %y");
  test::run_named(graph, kBatchNorm);
  REQUIRE(graph.nodes().size() == 1);
  CHECK(graph.node(graph.nodes()[0]).origins == std::vector<std::string>{"a", "y"});
  CHECK(graph.value(graph.outputs()[0]).name == "y");
}

TEST_CASE("BatchNormalization folds into ConvTranspose with groups, and into Gemm", "[passes]") {
  const std::string in = "input %x: float32[batch,2,2,2]\n";
  check_rewrite(kBatchNorm,
                in + kNorm + "const %w: float32[2,1,1,2] = {1, 2, 3, 4}\n%a = ConvTranspose(%x, %w) {group=2}\n%y = " +
                    kNormCall + "\noutput %y",
                in + "const %w: float32[2,1,1,2] = {2, 4, -3, -4}\nconst %b: float32[2] = {-5, 0.5}\n%y = "
                     "ConvTranspose(%x, %w, %b) {group=2}\noutput %y");
  check_rewrite(kBatchNorm,
                "input %x: float32[batch,3]\n" + kNorm +
                    "const %w: float32[2,3] = {1, 2, 3, 4, 5, 6}\n%a = Gemm(%x, "
                    "%w) {transB=1}\n%y = " +
                    kNormCall + "\noutput %y",
                "input %x: float32[batch,3]\nconst %w: float32[2,3] = {2, 4, 6, -4, -5, -6}\nconst %b: float32[2] = "
                "{-5, 0.5}\n%y = Gemm(%x, %w, %b) {transB=1}\noutput %y");
}

TEST_CASE("BatchNormalization folds into the Conv behind it when that does not pad", "[passes]") {
  const std::string head = "input %x: float32[batch,2,3,3]\n" + kNorm +
                           "const %w: float32[1,2,1,2] = {1, 2, 3, 4}\n%a = Relu(%x)\n%b = " + kNormCall + "\n";
  check_rewrite(kBatchNorm, head + "%y = Conv(%b, %w)\noutput %y",
                "input %x: float32[batch,2,3,3]\nconst %w: float32[1,2,1,2] = {2, 4, -3, -4}\nconst %b: float32[1] = "
                "{-11.5}\n%a = Relu(%x)\n%y = Conv(%a, %w, %b)\noutput %y");
  CHECK(check_unchanged(kBatchNorm, head + "%y = Conv(%b, %w) {pads=[1, 0, 1, 0]}\noutput %y") ==
        "the operator behind it pads with zeros, which the shift would move");
}

TEST_CASE("BatchNormalization stays where folding would be wrong", "[passes]") {
  const std::string in = "input %x: float32[batch,1,2,2]\n" + kNorm;
  const std::string w = "const %w: float32[2,1,1,1] = {3, 4}\n";
  const std::string conv = in + w + "%a = Conv(%x, %w)\n%b = " + kNormCall + "\n";
  CHECK(check_unchanged(kBatchNorm, conv + "%y = Add(%a, %b)\noutput %y") == "the value between is used elsewhere too");
  CHECK(check_unchanged(kBatchNorm, conv + "%y = Relu(%b)\noutput %y, %a") ==
        "the value between is used elsewhere too");
  CHECK(check_unchanged(kBatchNorm, in + w + "%a quant(int8, 0.5, 0) = Conv(%x, %w)\n%y = " + kNormCall +
                                        "\noutput %y") == "a rounding point lies between");
  CHECK(check_unchanged(kBatchNorm, in +
                                        "const %w: float32[2,1,1,1] quant(int8, 0.5, 0) = {3, 4}\n%a = Conv(%x, %w)\n"
                                        "%y = " +
                                        kNormCall + "\noutput %y") == "the weights are quantized");
  CHECK(check_unchanged(kBatchNorm, in + "input %w: float32[2,1,1,1]\n%a = Conv(%x, %w)\n%y = " + kNormCall +
                                        "\noutput %y") == "the weights or the bias are not constant");
  CHECK(check_unchanged(kBatchNorm, in + "const %w: float32[2,1,1,1] = {2e38, 4}\n%a = Conv(%x, %w)\n%y = " +
                                        kNormCall + "\noutput %y") == "a folded weight would overflow");
  // Negative variance: the factor is undefined.
  check_unchanged(kBatchNorm,
                  "input %x: float32[batch,1,2,2]\nconst %one: float32[1] = {1}\nconst %neg: float32[1] = "
                  "{-1}\nconst %w: float32[1,1,1,1] = {1}\n%a = Conv(%x, %w)\n%y = "
                  "BatchNormalization(%a, %one, %one, %one, %neg)\noutput %y");
}

TEST_CASE("a rounding point behind the BatchNormalization moves to the Conv", "[passes]") {
  const std::string in = "input %x: float32[batch,1,2,2]\n";
  check_rewrite(kBatchNorm,
                in + kNorm + "const %w: float32[2,1,1,1] = {3, 4}\n%a = Conv(%x, %w)\n%b quant(int8, 0.5, 3) = " +
                    kNormCall + "\n%y = Relu(%b)\noutput %y",
                in + "const %w: float32[2,1,1,1] = {6, -4}\nconst %b: float32[2] = {-5, 0.5}\n%a quant(int8, 0.5, 3) = "
                     "Conv(%x, %w, %b)\n%y = Relu(%a)\noutput %y");
}

TEST_CASE("constants per channel fold into Conv and Gemm", "[passes]") {
  const std::string in = "input %x: float32[batch,1,2,2]\nconst %w: float32[2,1,1,1] = {3, 4}\n%a = Conv(%x, %w)\n";
  check_rewrite(kAffine, in + "const %k: float32[2,1,1] = {2, 0.5}\n%y = Mul(%k, %a)\noutput %y",
                "input %x: float32[batch,1,2,2]\nconst %w: float32[2,1,1,1] = {6, 2}\n%y = Conv(%x, %w)\noutput %y");
  check_rewrite(kAffine, in + "const %k: float32[1,2,1,1] = {2, 0.5}\n%y = Add(%a, %k)\noutput %y",
                "input %x: float32[batch,1,2,2]\nconst %w: float32[2,1,1,1] = {3, 4}\nconst %b: float32[2] = {2, "
                "0.5}\n%y = Conv(%x, %w, %b)\noutput %y");
  check_rewrite(kAffine,
                in + "const %k: float32[] = {1}\nconst %d: float32[1] = {4}\n%b = Sub(%k, %a)\n%y = Div(%b, "
                     "%d)\noutput %y",
                "input %x: float32[batch,1,2,2]\nconst %w: float32[2,1,1,1] = {-0.75, -1}\nconst %b: float32[2] = "
                "splat(0.25)\n%y = Conv(%x, %w, %b)\noutput %y");
  // A pure scale passes through padding of the Conv behind it.
  check_rewrite(kAffine,
                "input %x: float32[batch,2,2,2]\nconst %k: float32[2,1,1] = {2, 0.5}\nconst %w: "
                "float32[1,2,1,1] = {3, 4}\n%a = Mul(%x, %k)\n%y = Conv(%a, %w) {pads=[1, 1, 1, 1]}\noutput %y",
                "input %x: float32[batch,2,2,2]\nconst %w: float32[1,2,1,1] = {6, 2}\n%y = Conv(%x, %w) {pads=[1, 1, "
                "1, 1]}\noutput %y");
  // Along another axis, or raising the rank, is no constant per channel.
  check_unchanged(kAffine, in + "const %k: float32[2] = {2, 0.5}\n%y = Mul(%a, %k)\noutput %y");
  check_unchanged(kAffine, in + "const %k: float32[1,1,1,1,1] = {2}\n%y = Mul(%a, %k)\noutput %y");
}

TEST_CASE("MatMul and Add become Gemm", "[passes]") {
  check_rewrite(kGemm,
                "input %x: float32[batch,3]\nconst %w: float32[3,2] = {1, 2, 3, 4, 5, 6}\nconst %b: float32[2] = {7, "
                "8}\n%a = MatMul(%x, %w)\n%y = Add(%b, %a)\noutput %y",
                "input %x: float32[batch,3]\nconst %w: float32[2,3] = {1, 3, 5, 2, 4, 6}\nconst %b: float32[2] = {7, "
                "8}\n%y = Gemm(%x, %w, %b) {transB=1}\noutput %y");
  check_unchanged(kGemm,
                  "input %x: float32[batch,4,3]\nconst %w: float32[3,2] = {1, 2, 3, 4, 5, 6}\n%y = MatMul(%x, "
                  "%w)\noutput %y");
  check_unchanged(kGemm, "input %x: float32[4,3]\ninput %w: float32[3,2]\n%y = MatMul(%x, %w)\noutput %y");
  CHECK(check_unchanged(kGemm,
                        "input %x: float32[4,3]\nconst %w: float32[3,1] quant(int8, 1, 0) = {1, 2, 3}\n%y = "
                        "MatMul(%x, %w)\noutput %y") == "the weights are quantized");
}

TEST_CASE("Gemm loses its factors", "[passes]") {
  const std::string in = "input %x: float32[batch,3]\n";
  const std::string w = "const %w: float32[3,2] = {1, 2, 3, 4, 5, 6}\n";
  const std::string wt = "const %w: float32[2,3] = {2, 6, 10, 4, 8, 12}\n";
  check_rewrite(kGemm,
                in + w + "const %c: float32[1,2] = {1, 2}\n%y = Gemm(%x, %w, %c) {alpha=2f, beta=-1f}\noutput %y",
                in + wt + "const %b: float32[2] = {-1, -2}\n%y = Gemm(%x, %w, %b) {transB=1}\noutput %y");
  check_rewrite(kGemm, in + w + "const %c: float32[] = {3}\n%y = Gemm(%x, %w, %c) {alpha=2f}\noutput %y",
                in + wt + "const %b: float32[2] = splat(3)\n%y = Gemm(%x, %w, %b) {transB=1}\noutput %y");
  // A bias per row stays as it is.
  check_unchanged(kGemm,
                  "input %x: float32[2,3]\nconst %w: float32[1,3] = {1, 2, 3}\nconst %c: float32[2,1] = {1, "
                  "2}\n%y = Gemm(%x, %w, %c) {transB=1}\noutput %y");
}

TEST_CASE("Pad of zeros moves into Conv and AveragePool", "[passes]") {
  const std::string in = "input %x: float32[batch,1,4,4]\nconst %w: float32[1,1,2,2] = {1, 2, 3, 4}\n";
  const std::string pad = "const %p: int64[8] = {0, 0, 1, 0, 0, 0, 0, 2}\n%a = Pad(%x, %p)\n";
  check_rewrite(kPadding, in + pad + "%y = Conv(%a, %w) {pads=[0, 1, 1, 0]}\noutput %y",
                in + "%y = Conv(%x, %w) {pads=[1, 1, 1, 2]}\noutput %y");
  check_rewrite(kPadding, in + pad + "%y = AveragePool(%a) {kernel_shape=[2, 2]}\noutput %y",
                "input %x: float32[batch,1,4,4]\n%y = AveragePool(%x) {count_include_pad=1, kernel_shape=[2, 2], "
                "pads=[1, 0, 0, 2]}\noutput %y");
  // Two users: both take it.
  check_rewrite(kPadding,
                in + pad +
                    "%b = Conv(%a, %w)\n%c = Conv(%a, %w) {dilations=[2, 1]}\n%d = Relu(%c)\noutput "
                    "%b, %d",
                in + "%b = Conv(%x, %w) {pads=[1, 0, 0, 2]}\n%c = Conv(%x, %w) {dilations=[2, 1], pads=[1, 0, 0, "
                     "2]}\n%d = Relu(%c)\noutput %b, %d");
  CHECK(check_unchanged(kPadding, "input %x: float32[batch,1,4,4]\n" + pad +
                                      "%y = MaxPool(%a) {kernel_shape=[2, "
                                      "2]}\noutput %y") == "MaxPool does not pad with zeros");
  CHECK(check_unchanged(kPadding, "input %x: float32[batch,1,4,4]\n" + pad +
                                      "%y = AveragePool(%a) {kernel_shape=[2, "
                                      "2], pads=[1, 1, 1, 1]}\noutput %y") ==
        "the pool does not count its own padding");
  CHECK(check_unchanged(kPadding, in + "const %p: int64[8] = {0, 0, -1, 0, 0, 0, 0, 0}\n%a = Pad(%x, %p)\n%y = "
                                       "Conv(%a, %w)\noutput %y") == "the padding is negative or not on spatial axes");
  check_unchanged(kPadding, in + "const %one: float32[] = {1}\nconst %p: int64[8] = {0, 0, 1, 0, 0, 0, 0, 2}\n%a = "
                                 "Pad(%x, %p, %one)\n%y = Conv(%a, %w)\noutput %y");
  check_unchanged(kPadding, in + "const %p: int64[8] = {0, 0, 1, 0, 0, 0, 0, 2}\n%a = Pad(%x, %p) "
                                 "{mode=\"reflect\"}\n%y = Conv(%a, %w)\noutput %y");
}

TEST_CASE("auto_pad becomes explicit", "[passes]") {
  const std::string in = "input %x: float32[batch,1,4,5]\nconst %w: float32[1,1,2,3] = {1, 2, 3, 4, 5, 6}\n";
  check_rewrite(kPadding, in + "%y = Conv(%x, %w) {auto_pad=\"SAME_UPPER\", strides=[1, 2]}\noutput %y",
                in + "%y = Conv(%x, %w) {pads=[0, 1, 1, 1], strides=[1, 2]}\noutput %y");
  check_rewrite(kPadding, in + "%y = Conv(%x, %w) {auto_pad=\"SAME_LOWER\"}\noutput %y",
                in + "%y = Conv(%x, %w) {pads=[1, 1, 0, 1]}\noutput %y");
  check_rewrite(kPadding, in + "%y = Conv(%x, %w) {auto_pad=\"VALID\"}\noutput %y",
                in + "%y = Conv(%x, %w) {pads=[0, 0, 0, 0]}\noutput %y");
}
