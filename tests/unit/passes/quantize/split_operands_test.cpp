// Operators with computed operands, before and after their split: the same floats, and all parts run on the device.
#include "passes/quantize/split_operands.h"

#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

Graph split(const Graph& original) {
  Graph graph = original;
  ThreadPool threads(1);
  const PassReport report = split_operands_pass()->run(graph, PassContext{threads});
  CHECK(report.changed == 1);
  graph.sort();
  infer_types(graph);
  return graph;
}

void check_split(const std::string& op, const Attributes& attributes, const std::vector<Tensor>& inputs,
                 std::size_t first_constant) {
  INFO(op << " with " << inputs.size() << " operands");
  const Graph whole = one_op(op, attributes, inputs, first_constant), parts = split(whole);
  ThreadPool threads(1);
  Executor before(whole, threads), after(parts, threads);
  const std::vector<Tensor> fed(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(first_constant));
  const auto a = before.run(fed)[0], b = after.run(fed)[0];
  REQUIRE(a.dims() == b.dims());
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.size()); ++i)
    CHECK(a.data<float>()[i] == Approx(b.data<float>()[i]).margin(1e-5));
  check_device(parts);
}

}  // namespace

TEST_CASE("operands that kernels have as constants are split off", "[quantize]") {
  const Tensor a = random_reals({3, 4}, 1), b = random_reals({4, 5}, 2), image = random_reals({1, 3, 6, 6}, 3);
  check_split("Gemm", {{"beta", 0.5F}, {"alpha", 2.0F}}, {a, b, random_reals({3, 1}, 4)}, 1);
  check_split("Gemm", {}, {a, b, random_reals({3, 5}, 4)}, 1);
  check_split("Gemm", {{"beta", -2.0F}}, {a, b, random_reals({5}, 4)}, 3);
  check_split("PRelu", {}, {image, random_reals({3, 1, 1}, 4)}, 2);
}

TEST_CASE("a computed bias of a convolution is added behind it", "[quantize]") {
  Graph whole;
  const ValueId x = whole.add_input("x", {DType::f32, to_shape({1, 3, 6, 6})}),
                bias = whole.add_input("bias", {DType::f32, to_shape({4})}),
                weights = whole.add_constant("weights", random_reals({4, 3, 3, 3}, 1)), y = whole.add_value("y");
  whole.add_node(
      {.name = "conv", .op = "Conv", .attributes = {}, .inputs = {x, weights, bias}, .outputs = {y}, .origins = {}});
  whole.set_outputs({y});
  infer_types(whole);
  const Graph parts = split(whole);
  ThreadPool threads(1);
  Executor before(whole, threads), after(parts, threads);
  const std::vector<Tensor> fed{random_reals({1, 3, 6, 6}, 2), random_reals({4}, 3)};
  const auto a = before.run(fed)[0], b = after.run(fed)[0];
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.size()); ++i)
    CHECK(a.data<float>()[i] == Approx(b.data<float>()[i]).margin(1e-5));
  check_device(parts);
}

TEST_CASE("computed bounds of Clip become Max and Min", "[quantize]") {
  const Tensor x = random_reals({1, 8}, 1), low = random_reals({1}, 2, -0.5F, 0), high = random_reals({1}, 3, 0, 0.5F);
  check_split("Clip", {}, {x, low, high}, 3);
  check_split("Clip", {}, {x, low}, 2);
}
