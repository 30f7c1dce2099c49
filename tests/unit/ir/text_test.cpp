// The text form of graphs: what is written by hand reads as meant, and everything that prints reads back to the same
// text.
#include "lib/ir/text.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "lib/ir/verify.h"
#include "lib/support/error.h"

using namespace tinyml;

namespace {

void check_round_trip(const std::string& text) {
  const Graph graph = parse(text);
  verify(graph);
  CHECK(print(graph) == text);
}

std::string message_of(const std::string& text) {
  try {
    (void)parse(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("values, constants and nodes round trip", "[ir]") {
  check_round_trip(R"(graph main opset 13
meta "doc" = "line\x0a \"quoted\" \\"
input %x: float32[batch,3] quant(uint8, 0.5, 128)
input %"in:1": int64[?,"2n",n2]
const %w: float32[3,2] = {1, -2.5, 3e-08, inf, nan, -0}
const %q: float32[2,2] quant(int8, [0.5, 0.25], [0, 0], axis 0) = {1, -127, 3, 4}
const %half: float16[2] = {0.5, -3}
const %brain: bfloat16[2] = {1.5, inf}
const %big: uint64[2] = {18446744073709551615, 0}
const %flags: bool[3] = {1, 0, 1}
const %same: float64[2,2] = splat(0.1)
const %none: int32[0] = {}
const %scalar: float32[] = {7}
const %nibbles: int4[2] = {-8, 7}
%y: float32[batch,2] quant(int8, 0.1, -3) = Gemm(%x, %w, _) {alpha=0.5f, name="a\"b", transB=0} @fc from "fc weight", bn
%a: float32[*], _, %b: float32[?,2] = "my.domain:Odd"(%y, _, %"in:1") {empty=[], f=floats[1, inf], i=[1, -2], one=1f, s=strings["x", ""], t=float32[2]{1, 2}, u=-inff}
%c: float32[*] = Relu(%a) from _
%d: float32[*] = Relu(%c)
output %d, %y
)");
}

TEST_CASE("numbers keep their bits", "[ir]") {
  Graph graph;
  std::vector<float> values{0.1F, 1.0F / 3.0F, 1e-45F, 3.4028235e38F, -0.0F, 16777217.0F};
  graph.set_outputs({graph.add_constant("c", Tensor::from<float>({6}, values))});
  const Graph again = parse(print(graph));
  CHECK(*again.value(*again.find_value("c")).constant == *graph.value(*graph.find_value("c")).constant);
}

TEST_CASE("what may be left out gets its default", "[ir]") {
  const Graph graph = parse("input %x: float32[2]  # a comment\n%y = Relu(%x)\noutput %y");
  const Node& node = graph.node(graph.nodes().front());
  CHECK(node.name == "y");
  CHECK(node.origins == std::vector<std::string>{"y"});
  CHECK(!graph.value(node.outputs[0]).type.shape);
  CHECK(graph.outputs() == node.outputs);
}

TEST_CASE("large constants print as a digest on request", "[ir]") {
  const Graph graph = parse("const %w: float32[3] = {1, 2, 3}\noutput %w");
  const std::string text = print(graph, 2);
  CHECK(text.find("digest(3 elements, ") != std::string::npos);
  CHECK(message_of(text) == "line 2: expected elements (a digest cannot be read back), found '(3 elements, 1de40d8'");
  CHECK(print(graph, 3).find("{1, 2, 3}") != std::string::npos);
}

TEST_CASE("faults in the text name the line and what was expected", "[ir]") {
  CHECK(message_of("graph a\n%y = Relu(%x)") == "line 2: expected a value defined above, found 'x)'");
  CHECK(message_of("input %x: float33[2]") == "line 1: expected an element type, found 'float33[2]'");
  CHECK(message_of("\n\nhello") ==
        "line 3: expected a statement (graph, meta, input, const, output, or %value = ...), "
        "found 'hello'");
  CHECK(message_of("input %x: float32[2]\ninput %x: float32[2]") ==
        "line 2: expected a name that is not taken, found 'x: float32[2]'");
  CHECK(message_of("const %c: float32[2] = {1}") == "line 1: expected 2 elements, not 1, before this, found ''");
  CHECK(message_of("const %c: float32[2] = {1, 2, 3}") == "line 1: expected only 2 elements, found ' 3}'");
  CHECK(message_of("const %c: float32[99999999,99999999] = splat(0)").find("more than 2^40") != std::string::npos);
  CHECK(message_of("const %c: float32[n] = splat(0)") ==
        "line 1: expected a static shape before this, found ' = "
        "splat(0)'");
  CHECK(message_of("input %x: float32[2]\n%y = Relu(%x)\n%z = Relu(%y) @y").find("node name that is not taken") !=
        std::string::npos);
  CHECK(message_of("meta \"a") == "line 1: expected a closing '\"', found ''");
}
