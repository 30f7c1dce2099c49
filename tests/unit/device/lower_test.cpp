// What lowering makes of whole graphs: fusion, layouts, views, refusals; and models that ONNX Runtime quantized.
#include "lib/device/lower.h"

#include <cmath>

#include "formats/onnx/onnx.h"
#include "lib/data/dataset.h"
#include "lib/device/kernels.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

// Adds nodes of one output one after the other.
struct Chain {
  Graph graph;
  ValueId last = ValueId::none;

  explicit Chain(const Dims& input) { last = graph.add_input("x", {DType::f32, to_shape(input)}); }
  Chain& add(const std::string& op, const Attributes& attributes = {}, const std::vector<Tensor>& constants = {}) {
    Node node{.name = op, .op = op, .attributes = attributes, .inputs = {last}, .outputs = {}, .origins = {op}};
    for (const Tensor& constant : constants) node.inputs.push_back(graph.add_constant("c", constant));
    last = graph.add_value(op + "_out");
    node.outputs = {last};
    graph.add_node(std::move(node));
    return *this;
  }
  Graph done() {
    graph.set_outputs({last});
    infer_types(graph);
    return graph;
  }
};

Tensor ints(const Ints& values) { return Tensor::from_i64(values); }

std::string error_of(const Graph& graph) {
  try {
    (void)lower(graph);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a clamp becomes part of the kernel before it", "[device]") {
  const Graph graph = Chain({1, 3, 6, 6})
                          .add("Conv", {}, {random_reals({4, 3, 3, 3}, 1)})
                          .add("Clip", {}, {Tensor::scalar(0.0F), Tensor::scalar(1.0F)})
                          .done();
  check_device(graph);
  const Program program = lower(quantized(graph));
  CHECK(kernels_of(program) == std::vector<std::string>{"tml_conv2d_s8"});
  CHECK(program.steps[0].name == "Conv+Clip");
}

TEST_CASE("functions between which nothing is rounded become one table", "[device]") {
  Graph graph = Chain({1, 8}).add("Neg").add("Exp").add("Sigmoid").done();
  graph.value(graph.inputs()[0]).quant = QuantParams{DType::i8, {1.0F / 64}, {3}, -1};
  graph.value(graph.outputs()[0]).quant = QuantParams{DType::i8, {1.0F / 256}, {-128}, -1};
  CHECK(kernels_of(lower(graph)) == std::vector<std::string>{"tml_lut_s8"});
  CHECK(agreement(graph).worst == 0);
}

TEST_CASE("a clamp that changes nothing costs nothing", "[device]") {
  Graph graph = Chain({1, 8}).add("Relu").add("Relu").done();
  const QuantParams params{DType::i8, {1.0F / 256}, {-128}, -1};
  for (const ValueId id : graph.values()) graph.value(id).quant = params;
  const Program program = lower(graph);
  CHECK(program.steps.empty());
  CHECK(program.arena_bytes == 8);
  CHECK(agreement(graph).worst == 0);
}

TEST_CASE("NCHW and NHWC forms of a model give the same steps", "[device]") {
  const Tensor weights = random_reals({4, 3, 3, 3}, 1), matrix = random_reals({4 * 4 * 4, 5}, 2);
  const Graph nchw =
      Chain({1, 3, 6, 6}).add("Conv", {}, {weights}).add("Relu").add("Flatten").add("Gemm", {}, {matrix}).done();
  const Graph nhwc = Chain({1, 6, 6, 3})
                         .add("Transpose", {{"perm", Ints{0, 3, 1, 2}}})
                         .add("Conv", {}, {weights})
                         .add("Relu")
                         .add("Flatten")
                         .add("Gemm", {}, {matrix})
                         .done();
  check_device(nchw);
  check_device(nhwc);
  const Program a = lower(quantized(nchw)), b = lower(quantized(nhwc));
  const std::vector<std::string> expected{"tml_conv2d_s8", "tml_fully_connected_s8"};
  CHECK(kernels_of(a) == expected);  // no transposition before the Gemm: its weights are in the order of the map
  CHECK(kernels_of(b) == expected);
  CHECK(a.inputs[0].dims == Dims{1, 6, 6, 3});
  CHECK(b.inputs[0].dims == Dims{1, 6, 6, 3});
  CHECK(a.arena_bytes == b.arena_bytes);
}

TEST_CASE("a reshape that mixes channels and pixels is transposed once", "[device]") {
  const Graph graph = Chain({1, 3, 6, 6})
                          .add("Conv", {}, {random_reals({4, 3, 3, 3}, 1)})
                          .add("Reshape", {}, {ints({1, 8, 8})})
                          .add("Softmax")
                          .done();
  check_device(graph);
  CHECK(kernels_of(lower(quantized(graph))) == std::vector<std::string>{"tml_conv2d_s8", "tml_copy", "tml_softmax_s8"});
}

TEST_CASE("layouts through reshapes", "[device]") {
  CHECK(*reshaped_layout({1, 4, 5, 6}, {0, 2, 3, 1}, {1, 4, 30}) == Layout{0, 2, 1});
  CHECK(*reshaped_layout({1, 4, 5, 6}, {0, 2, 3, 1}, {4, 5, 6}) == Layout{1, 2, 0});
  CHECK_FALSE(reshaped_layout({1, 4, 5, 6}, {0, 2, 3, 1}, {1, 20, 6}));
  CHECK(equivalent(*reshaped_layout({1, 4, 1, 1}, {0, 2, 3, 1}, {1, 4}), {0, 1}, {1, 4}));
  CHECK(equivalent({0, 1, 2, 3}, {0, 2, 3, 1}, {1, 1, 5, 6}));
  CHECK_FALSE(equivalent({0, 1, 2, 3}, {0, 2, 3, 1}, {1, 2, 5, 6}));
}

TEST_CASE("a residual addition is done in place", "[device]") {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, to_shape({1, 4, 8, 8})});
  const ValueId w = graph.add_constant("w", random_reals({4, 4, 3, 3}, 1)), y = graph.add_value("y"),
                z = graph.add_value("z");
  graph.add_node({.name = "conv",
                  .op = "Conv",
                  .attributes = {{"pads", Ints{1, 1, 1, 1}}},
                  .inputs = {x, w},
                  .outputs = {y},
                  .origins = {}});
  graph.add_node({.name = "add", .op = "Add", .attributes = {}, .inputs = {x, y}, .outputs = {z}, .origins = {}});
  graph.set_outputs({z});
  infer_types(graph);
  check_device(graph);
  CHECK(lower(quantized(graph)).arena_bytes == 512);  // two maps of 256 bytes
}

TEST_CASE("what has no device form is refused by name", "[device]") {
  const Graph floating = Chain({1, 8}).add("Sigmoid").done();
  CHECK(error_of(floating).find("tensor 'x': the input stays float") != std::string::npos);
  Graph half = quantized(Chain({1, 8}).add("Sigmoid").add("Softmax").done());
  half.value(*half.find_value("Sigmoid_out")).quant.reset();
  const std::string message = error_of(half);
  CHECK(message.find("node 'Sigmoid'") != std::string::npos);
  CHECK(message.find("stays float") != std::string::npos);
  const Graph compare = quantized(one_op("Equal", {}, {random_reals({1, 8}, 1), random_reals({1, 8}, 2)}, 2));
  CHECK(error_of(compare).find("node 'node': Equal has no form on the device") != std::string::npos);
}

TEST_CASE("an accumulator that could overflow is refused", "[device]") {
  Tensor weights(DType::f32, {1, 200000});
  for (float& w : weights.data<float>()) w = 1;
  const Graph graph = Chain({1, 200000}).add("Gemm", {{"transB", std::int64_t{1}}}, {weights}).done();
  CHECK(error_of(quantized(graph)).find("may overflow") != std::string::npos);
}

TEST_CASE("models that ONNX Runtime quantized give its results", "[device]") {
  const std::string root = TINYML_SOURCE_DIR;
  const Tensor x = convert(read_npy(root + "/tests/data/digits/test_x.npy"), DType::f32);
  ThreadPool threads(1);
  for (const char* form : {"int8_channel", "int8_tensor", "uint8_channel", "uint8_tensor"}) {
    INFO(form);
    const std::string path = root + "/tests/fixtures/ort/digits_" + form;
    const Program program = lower(read_onnx(path + ".onnx"));
    const std::vector<Tensor> inputs{x};
    const Tensor got = simulate_batch(program, inputs, threads)[0], expected = read_npy(path + "_out.npy");
    REQUIRE(got.dims() == expected.dims());
    // ONNX Runtime's own kernels round elsewhere; what counts is the class, and that values agree in nearly all places.
    const auto a = to_floats(got), b = to_floats(expected);
    const std::size_t classes = 10, samples = a.size() / classes;
    std::size_t same = 0, close = 0;
    for (std::size_t i = 0; i < samples; ++i) {
      const auto best = [&](const std::vector<float>& v) {
        const auto row = v.begin() + static_cast<std::ptrdiff_t>(i * classes);
        return std::max_element(row, row + classes) - row;
      };
      same += best(a) == best(b) ? 1 : 0;
    }
    for (std::size_t i = 0; i < a.size(); ++i) close += std::abs(a[i] - b[i]) < 1.5F / 256 ? 1 : 0;
    CHECK(static_cast<double>(same) >= 0.995 * static_cast<double>(samples));
    CHECK(static_cast<double>(close) >= 0.98 * static_cast<double>(a.size()));
  }
}

TEST_CASE("batches: threads do not matter, raw results are integers", "[device]") {
  const Graph graph = quantized(Chain({1, 3, 6, 6}).add("Conv", {}, {random_reals({4, 3, 3, 3}, 1)}).done());
  const Program program = lower(graph);
  ThreadPool one(1), two(2);
  const std::vector<Tensor> inputs{random_reals({7, 3, 6, 6}, 9)};
  const std::vector<Tensor> a = simulate_batch(program, inputs, one), b = simulate_batch(program, inputs, two);
  CHECK(a[0] == b[0]);
  CHECK(a[0].dims() == Dims{7, 4, 4, 4});
  const Tensor raw = simulate_batch(program, inputs, one, true)[0];
  REQUIRE(raw.dtype() == DType::i8);
  const QuantParams& quant = *program.outputs[0].quant;
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(a[0].data<float>()[i] ==
          static_cast<float>(raw.data<std::int8_t>()[i] - quant.zero_points[0]) * quant.scales[0]);
  const std::vector<Tensor> wrong{random_reals({7, 3, 6, 5}, 9)};
  CHECK_THROWS_AS(simulate_batch(program, wrong, one), Error);
}

TEST_CASE("record sizes on the 32-bit device", "[device]") {
  // By hand from tinyml_runtime.h: 3 pointers, 16 halves, 6 bytes, rounded up to 4.
  CHECK(find_kernel("tml_conv2d_s8").record->device_size() == 52);
  CHECK(find_kernel("tml_lut_s8").record->device_size() == 8);
  for (const KernelInfo& kernel : all_kernels()) CHECK(kernel.function != nullptr);
}
