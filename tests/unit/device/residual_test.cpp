// Residual additions fused into convolutions: the same bits as two steps, in the residual's own place, and chosen where
// they are cheaper or where memory is short.
#include "lib/device/residual.h"

#include <algorithm>
#include <random>

#include "lib/ops/op_def.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

struct Net {
  Graph graph;
  unsigned seed = 1;

  ValueId node(const std::string& op, const Attributes& attributes, const std::vector<ValueId>& inputs) {
    const ValueId out = graph.add_value(op);
    graph.add_node({.name = op, .op = op, .attributes = attributes, .inputs = inputs, .outputs = {out}, .origins = {}});
    infer_types(graph);
    return out;
  }
  ValueId conv(ValueId x, std::int64_t out, std::int64_t kernel) {
    const std::int64_t in = (*graph.value(x).type.shape)[1].value, pad = kernel / 2;
    return node("Conv", {{"pads", Ints{pad, pad, pad, pad}}},
                {x, graph.add_constant("w", random_reals({out, in, kernel, kernel}, seed++)),
                 graph.add_constant("b", random_reals({out}, seed++))});
  }
  Graph done(ValueId output) {
    graph.set_outputs({output});
    infer_types(graph);
    return quantized(graph);
  }
};

// x -> convolution -> [two convolutions +] -> clamp
Graph block(std::int64_t channels, std::int64_t rows, std::int64_t columns, std::int64_t kernel, unsigned seed) {
  Net net;
  net.seed = seed * 10;
  const ValueId x = net.graph.add_input("x", {DType::f32, to_shape({1, 3, rows, columns})});
  const ValueId first = net.conv(x, channels, 3);
  const ValueId second = net.conv(net.node("Relu", {}, {net.conv(first, channels, kernel)}), channels, 3);
  ValueId shortcut = first;
  if (seed % 3 == 0) shortcut = net.conv(first, channels, 1);
  const std::vector<ValueId> operands = seed % 2 == 0 ? std::vector{second, shortcut} : std::vector{shortcut, second};
  const ValueId sum = net.node(seed % 5 == 0 ? "Sub" : "Add", {}, operands);
  return net.done(seed % 4 == 0 ? sum : net.node("Relu", {}, {sum}));
}

bool has_add(const Program& program) {
  const auto kernels = kernels_of(program);
  return std::any_of(kernels.begin(), kernels.end(), [](const auto& k) { return k.find("tml_add") == 0; });
}

}  // namespace

TEST_CASE("a residual is added by the convolution before it, to the bit", "[device]") {
  std::mt19937 random(5);
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  };
  int fused = 0;
  for (unsigned seed = 1; seed <= 16; ++seed) {
    INFO("seed " << seed);
    const Graph graph = block(pick(1, 24), pick(3, 9), pick(3, 9), 1 + 2 * pick(0, 1), seed);
    const Program plain = lower(graph);
    CHECK(has_add(plain));
    const std::vector<Tensor> input{random_reals(plain.inputs[0].onnx_dims, seed)};
    const std::vector<Tensor> sample{port_sample(input[0], plain.inputs[0], 0)};
    const std::vector<Tensor> raw = Simulator(plain).run(sample);
    for (const Target target : {Target::cortex_m4, Target::cortex_m55})
      for (const LowerOptions& options : {LowerOptions{target, Optimize::speed}, LowerOptions{target, Optimize::ram},
                                          LowerOptions{target, Optimize::speed, plain.arena_bytes - 16}}) {
        const Program program = lower(graph, options);
        CHECK(Simulator(program).run_guarded(sample) == raw);
        fused += has_add(program) ? 0 : 1;
      }
  }
  CHECK(fused > 16);
}

TEST_CASE("the sum stands where the residual stood", "[device]") {
  const Program program = lower(block(16, 16, 16, 3, 1), {.target = Target::cortex_m4});
  const auto sum = std::find_if(program.steps.begin(), program.steps.end(),
                                [](const ProgramStep& s) { return s.op.find("Add") != std::string::npos; });
  REQUIRE(sum != program.steps.end());
  REQUIRE(sum->operands.size() == 4);  // x, residual, y, scratch
  CHECK(sum->operands[2] == sum->output);
  CHECK(program.arena_bytes < 2 * 4096 + 1600);  // two maps and scratch
}

TEST_CASE("an output that something else reads is not fused away", "[device]") {
  Net net;
  const ValueId x = net.graph.add_input("x", {DType::f32, to_shape({1, 4, 6, 6})});
  const ValueId first = net.conv(x, 4, 3), second = net.conv(first, 4, 3);
  const ValueId sum = net.node("Add", {}, {first, second});
  const ValueId both = net.node("Concat", {{"axis", std::int64_t{1}}}, {sum, second});
  CHECK(has_add(lower(net.done(both), {.target = Target::cortex_m4})));
  Net twice;  // the sum of a map with itself
  const ValueId y = twice.conv(twice.graph.add_input("x", {DType::f32, to_shape({1, 4, 6, 6})}), 4, 3);
  const ValueId doubled = twice.node("Add", {}, {y, y});
  CHECK(has_add(lower(twice.done(doubled), {.target = Target::cortex_m4})));
}
