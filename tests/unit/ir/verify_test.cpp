// The structural verifier: a sound graph passes; each kind of damage that a pass could do is found and named.
#include "lib/ir/verify.h"

#include <catch2/catch.hpp>

#include "lib/ir/text.h"
#include "lib/support/error.h"

using namespace tinyml;

namespace {

const char* const kSound = R"(input %x: float32[batch,2]
const %w: float32[2,2] quant(int8, [0.5, 0.25], [0, 0], axis 1) = {1, 2, 3, 4}
%y: float32[batch,2] quant(uint8, 0.5, 7) = MatMul(%x, %w)
%z = Relu(%y)
output %z, %x
)";

// Damages a sound graph and returns what the verifier says.
template <class F>
std::string fault_after(F damage) {
  Graph graph = parse(kSound);
  verify(graph);
  damage(graph);
  try {
    verify(graph);
  } catch (const Error& error) {
    CHECK(error.kind() == ExitCode::internal);
    return error.message();
  }
  return "none";
}

ValueId value(const Graph& graph, const char* name) { return *graph.find_value(name); }

}  // namespace

TEST_CASE("the verifier finds damaged links", "[ir]") {
  CHECK(fault_after([](Graph&) {}) == "none");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "y")).consumers.clear(); }) ==
        "internal error: value 'y' disagrees with its consumer 'z' on the uses");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "x")).consumers.push_back(*g.find_node("z")); }) ==
        "internal error: value 'x' disagrees with its consumer 'z' on the uses");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "z")).producer = *g.find_node("y"); }) ==
        "internal error: value 'z' is unknown to its producer");
  CHECK(fault_after([](Graph& g) { g.add_value("loose"); }) ==
        "internal error: value 'loose' is neither an input, nor a constant, nor computed");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "y")).name = "other"; }) ==
        "internal error: value 'other' is not found by its name");
}

TEST_CASE("the verifier finds a wrong order and a cycle", "[ir]") {
  CHECK(fault_after([](Graph& g) {
          const ValueId late = g.emit("Relu", std::vector{value(g, "x")}, {}, {});
          g.set_input(*g.find_node("z"), 0, late);
        }) == "internal error: node 'z' uses 'Relu_out' before it is computed");
  CHECK(fault_after([](Graph& g) { g.set_input(*g.find_node("y"), 0, value(g, "z")); }) ==
        "internal error: node 'y' uses 'z' before it is computed");
}

TEST_CASE("the verifier finds constants and quantization that contradict their types", "[ir]") {
  CHECK(fault_after([](Graph& g) { g.value(value(g, "w")).type.shape = Shape{4}; }) ==
        "internal error: value 'w' has the constant shape [2,2] but another type");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "w")).quant.reset(); }) ==
        "internal error: value 'w' holds int8 but should hold float32");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "w")).quant->axis = 2; }) ==
        "internal error: value 'w' has a quantization axis beyond its rank");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "w")).quant->axis = -1; }) ==
        "internal error: value 'w' has several scales but no axis");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "y")).quant->scales = {0}; }) ==
        "internal error: value 'y' has a scale that is not positive");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "y")).quant->zero_points = {256}; }) ==
        "internal error: value 'y' has a zero point outside of its type");
  CHECK(fault_after([](Graph& g) { g.value(value(g, "y")).type.dtype = DType::i64; }) ==
        "internal error: value 'y' is quantized but not real");
  CHECK(fault_after([](Graph& g) {
          g.value(value(g, "x")).constant = Tensor(DType::f32, {1, 2});
        }) == "internal error: value 'x' is a graph input and a constant");
}
