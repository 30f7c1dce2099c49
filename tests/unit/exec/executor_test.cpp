// The executor: fake quantization against hand-computed cases, taps, independence of threads and batch, errors.
#include "lib/exec/executor.h"

#include <limits>

#include "tests/unit/ops/single_op.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

Node make_node(std::string op, Attributes attributes, std::vector<ValueId> inputs, ValueId output) {
  return {.name = op,
          .op = op,
          .attributes = std::move(attributes),
          .inputs = std::move(inputs),
          .outputs = {output},
          .origins = {}};
}

// A small residual network with everything that the fused plan treats specially. Values by name: "conv1", "relu1", ...
struct Net {
  Graph graph;
  unsigned seed = 1;

  ValueId add(const std::string& name, const std::string& op, Attributes attributes, std::vector<ValueId> inputs) {
    const ValueId out = graph.add_value(name);
    graph.add_node(make_node(op, std::move(attributes), std::move(inputs), out));
    return out;
  }
  ValueId weights(const Dims& dims) { return graph.add_constant("w", random_tensor(dims, seed++)); }
  ValueId conv(const std::string& name, ValueId x, const Dims& w, std::int64_t stride, std::int64_t pad,
               std::int64_t group = 1) {
    return add(name, "Conv", {{"strides", Ints{stride, stride}}, {"pads", Ints{pad, pad, pad, pad}}, {"group", group}},
               {x, weights(w), weights({w[0]})});
  }
  Net() {
    const ValueId x = graph.add_input("x", {DType::f32, Shape{Dim("batch"), 3, 12, 10}});
    const ValueId a = add("relu1", "Relu", {}, {conv("conv1", x, {8, 3, 3, 3}, 1, 1)});
    const ValueId b = add("relu2", "Relu", {}, {conv("conv2", a, {8, 1, 3, 3}, 1, 1, 8)});
    const ValueId c = conv("conv3", b, {8, 8, 1, 1}, 1, 0);
    const ValueId d = add("relu3", "Relu", {}, {add("add1", "Add", {}, {c, a})});
    const ValueId e = conv("conv4", d, {20, 8, 3, 3}, 2, 1), f = conv("conv5", d, {20, 8, 1, 1}, 2, 0);
    const ValueId g = add("relu4", "Relu", {}, {add("add2", "Add", {}, {e, f})});
    const ValueId h = add("sigmoid", "Sigmoid", {}, {g});
    const ValueId p = add("pool", "MaxPool", {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 1}}}, {h});
    const ValueId q = add("mean", "GlobalAveragePool", {}, {p});
    const ValueId r = add("flat", "Flatten", {{"axis", std::int64_t{1}}}, {q});
    const ValueId s = add("fc", "Gemm", {{"transB", std::int64_t{1}}}, {r, weights({5, 20}), weights({5})});
    graph.set_outputs({add("softmax", "Softmax", {{"axis", std::int64_t{1}}}, {s}), p});
    infer_types(graph);
  }
};

std::vector<Tensor> run(const Graph& graph, const Tensor& x, ExecOptions options, unsigned threads = 1) {
  ThreadPool pool(threads);
  return Executor(graph, pool, options).run({&x, 1});
}

Tensor first_samples(const Tensor& x, std::int64_t from, std::int64_t count) {
  Dims dims = x.dims();
  const auto sample = static_cast<std::size_t>(x.size() / dims[0]);
  dims[0] = count;
  return Tensor::from<float>(dims, x.data<float>().subspan(static_cast<std::size_t>(from) * sample));
}

}  // namespace

TEST_CASE("fake quantization rounds half to even and saturates", "[exec]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  // scale 0.5, zero point 3: integers from -131 to 124 around zero, so reals from -65.5 to 62.
  const std::vector<float> in{0.0F,   0.24F, 0.25F, 0.26F,    0.75F,     1.25F, -0.25F,
                              -0.75F, 100,   -100,  infinity, -infinity, nan};
  const std::vector<float> expected{0, 0, 0, 0.5F, 1, 1, 0, -1, 62, -65.5F, 62, -65.5F, -65.5F};
  for (const std::size_t copies : {1, 3}) {  // 13 and 39 elements: vectors and remainders
    std::vector<float> values, wanted;
    for (std::size_t i = 0; i < copies; ++i) {
      values.insert(values.end(), in.begin(), in.end());
      wanted.insert(wanted.end(), expected.begin(), expected.end());
    }
    Tensor t = Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
    fake_quantize(t, {.type = DType::i8, .scales = {0.5F}, .zero_points = {3}});
    CHECK(to_floats(t) == wanted);
    CHECK(!std::signbit(t.data<float>()[6]));  // the integer 0 has no sign
  }
  Tensor u = Tensor::from<float>({3}, std::span<const float>(in).subspan(8, 3));
  fake_quantize(u, {.type = DType::u8, .scales = {0.25F}, .zero_points = {128}});
  CHECK(to_floats(u) == std::vector<float>{31.75F, -32, 31.75F});
}

TEST_CASE("fake quantization per channel", "[exec]") {
  const std::vector<float> in{1.3F, 2.6F, 1.3F, 2.6F, 1.3F, 2.6F, 1.3F, 2.6F};
  Tensor t = Tensor::from<float>({2, 2, 2}, in);
  fake_quantize(t, {.type = DType::i8, .scales = {1.0F, 0.5F}, .zero_points = {0, 0}, .axis = 1});
  CHECK(to_floats(t) == std::vector<float>{1, 3, 1.5F, 2.5F, 1, 3, 1.5F, 2.5F});
  CHECK_THROWS_AS(fake_quantize(t, {.type = DType::i8, .scales = {1, 1, 1}, .zero_points = {0, 0, 0}, .axis = 1}),
                  Error);
  CHECK_THROWS_AS(fake_quantize(t, {.type = DType::i8, .scales = {1, 1}, .zero_points = {0, 0}, .axis = 3}), Error);
}

TEST_CASE("a quantized Gemm computes what its annotations say", "[exec]") {
  // x on a grid of 0.5; weights int8 per row with scales 0.25 and 2; bias int32; y on a grid of 1.
  const std::vector<std::int8_t> w{4, -2, 1, 3};
  const std::vector<std::int32_t> b{8, -1};
  Graph g;
  const ValueId x = g.add_input("x", {DType::f32, Shape{Dim("batch"), 2}});
  const ValueId weights = g.add_constant("w", Tensor::from<std::int8_t>({2, 2}, w));
  g.value(weights).type.dtype = DType::f32;
  g.value(weights).quant = QuantParams{.type = DType::i8, .scales = {0.25F, 2.0F}, .zero_points = {0, 0}, .axis = 0};
  const ValueId bias = g.add_constant("b", Tensor::from<std::int32_t>({2}, b));
  g.value(bias).type.dtype = DType::f32;
  g.value(bias).quant = QuantParams{.type = DType::i32, .scales = {0.125F, 1.0F}, .zero_points = {0, 0}, .axis = 0};
  const ValueId y = g.add_value("y");
  g.add_node(make_node("Gemm", {{"transB", std::int64_t{1}}}, {x, weights, bias}, y));
  g.set_outputs({y});
  infer_types(g);
  g.value(x).quant = QuantParams{.type = DType::i8, .scales = {0.5F}, .zero_points = {0}};
  g.value(y).quant = QuantParams{.type = DType::i8, .scales = {1.0F}, .zero_points = {0}};
  const std::vector<float> in{1.2F, -0.3F};
  const Tensor data = Tensor::from<float>({1, 2}, in);
  for (const bool fuse : {false, true}) {
    // x: 1.0, -0.5; rows 1, -0.5 and 2, 6; bias 1, -1: 1 + 0.25 + 1 = 2.25 -> 2; 2 - 3 - 1 = -2.
    CHECK(to_floats(run(g, data, {.fake_quantize = true, .fuse = fuse})[0]) == std::vector<float>{2, -2});
    // Without rounding: 1.2 + 0.15 + 1 and 2.4 - 1.8 - 1.
    const std::vector<float> plain = to_floats(run(g, data, {.fake_quantize = false, .fuse = fuse})[0]);
    CHECK(plain[0] == Approx(2.35));
    CHECK(plain[1] == Approx(-0.4));
  }
}

TEST_CASE("the fused plan equals the plain one", "[exec]") {
  const Net net;
  const Tensor x = random_tensor({3, 3, 12, 10}, 77);
  const std::vector<Tensor> plain = run(net.graph, x, {.fuse = false}), fused = run(net.graph, x, {.fuse = true});
  REQUIRE(plain.size() == 2);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const Tensor wide = convert(plain[i], DType::f64);
    CHECK(fused[i].dims() == plain[i].dims());
    // Values up to about 100 after sums of up to 72 products in another order: 2^-24 * 72 * 100, with room.
    check_close(fused[i], {wide.data<double>().begin(), wide.data<double>().end()}, 1e-3);
  }
}

// Rows of constants differ along every axis, so that a wrong order of axes shows.
TEST_CASE("elementwise operators compute the same on channels-last operands", "[exec]") {
  Net net;
  Graph& graph = net.graph;
  const ValueId relu = *graph.find_value("relu2"), other = *graph.find_value("relu1");
  const ValueId table = graph.add_constant("table", random_tensor({1, 8, 1, 10}, 3));
  std::vector<std::int64_t> powers;
  for (int i = 0; i < 8 * 12; ++i) powers.push_back(i % 5 % 3);
  const ValueId power = graph.add_constant("power", Tensor::from<std::int64_t>({1, 8, 12, 1}, powers));
  std::vector<ValueId> outputs;
  for (const std::string op : {"Add", "Sub", "Mul", "Min", "Max", "Mean", "Sum"}) {
    outputs.push_back(net.add(op + "_values", op, {}, {relu, other}));
    outputs.push_back(net.add(op + "_constant", op, {}, {relu, table}));
  }
  outputs.push_back(net.add("powers", "Pow", {}, {relu, power}));
  outputs.push_back(net.add("mask", "Less", {}, {relu, other}));
  outputs.push_back(net.add("choice", "Where", {}, {outputs.back(), relu, table}));
  outputs.push_back(net.add("sum", "Sum", {}, {net.conv("conv6", relu, {8, 8, 1, 1}, 1, 0), other}));
  graph.set_outputs(outputs);
  infer_types(graph);
  const Tensor x = random_tensor({2, 3, 12, 10}, 11);
  const std::vector<Tensor> plain = run(graph, x, {.fuse = false}), fused = run(graph, x, {.fuse = true});
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CAPTURE(graph.value(outputs[i]).name);
    if (graph.value(outputs[i]).type.dtype == DType::boolean) continue;  // equal operands may differ in the last bit
    const Tensor wide = convert(plain[i], DType::f64);
    CHECK(fused[i].dims() == plain[i].dims());
    check_close(fused[i], {wide.data<double>().begin(), wide.data<double>().end()}, 1e-3);
  }
}

TEST_CASE("results depend neither on threads nor on the batch", "[exec]") {
  const Net net;
  const Tensor x = random_tensor({32, 3, 12, 10}, 5);
  for (const bool fuse : {false, true}) {
    const std::vector<Tensor> all = run(net.graph, x, {.fuse = fuse}, 1);
    for (const unsigned threads : {2U, 3U}) CHECK(run(net.graph, x, {.fuse = fuse}, threads)[0] == all[0]);
    ThreadPool pool(2);
    Executor one(net.graph, pool, {.fuse = fuse});
    for (std::int64_t i = 0; i < 32; i += 5) {
      const Tensor sample = first_samples(x, i, 1);
      const std::vector<Tensor> alone = one.run({&sample, 1});
      CHECK(alone[0] == first_samples(all[0], i, 1));
      CHECK(alone[1] == first_samples(all[1], i, 1));
    }
    CHECK(one.run({&x, 1})[0] == all[0]);  // and back to the large batch in the same executor
  }
}

TEST_CASE("taps see every value in the ONNX layout, before its rounding", "[exec]") {
  Net net;
  const Tensor x = random_tensor({2, 3, 12, 10}, 5);
  std::vector<ValueId> all;
  for (const ValueId id : net.graph.values())
    if (!net.graph.value(id).constant) all.push_back(id);
  net.graph.value(*net.graph.find_value("relu3")).quant =
      QuantParams{.type = DType::i8, .scales = {0.5F}, .zero_points = {-128}};
  net.graph.value(all[0]).quant = QuantParams{.type = DType::i8, .scales = {0.25F}, .zero_points = {0}};
  std::map<ValueId, Tensor> seen[2];
  for (const bool fuse : {false, true}) {
    ThreadPool pool(2);
    Executor executor(net.graph, pool, {.fuse = fuse});
    executor.set_taps(all, [&](ValueId id, const Tensor& t) { CHECK(seen[fuse].emplace(id, t).second); });
    (void)executor.run({&x, 1});
    REQUIRE(seen[fuse].size() == all.size());
  }
  CHECK(seen[0].at(all[0]) == x);
  CHECK(seen[1].at(all[0]) == x);
  bool off_grid = false;
  for (const float v : to_floats(seen[1].at(*net.graph.find_value("relu3")))) off_grid |= v * 2 != std::floor(v * 2);
  CHECK(off_grid);
  for (const ValueId id : all) {
    CAPTURE(net.graph.value(id).name);
    const Tensor wide = convert(seen[0].at(id), DType::f64);
    CHECK(seen[1].at(id).dims() == seen[0].at(id).dims());
    // One step of the grid may flip behind relu3 where the two plans differ in the last bit; elsewhere as above.
    check_close(seen[1].at(id), {wide.data<double>().begin(), wide.data<double>().end()}, 1e-3);
  }
}

TEST_CASE("a value that is tapped, an output or used twice is not fused away", "[exec]") {
  Net net;
  const Tensor x = random_tensor({1, 3, 12, 10}, 5);
  net.graph.set_outputs(
      {*net.graph.find_value("conv1"), *net.graph.find_value("add2"), *net.graph.find_value("relu4")});
  const std::vector<Tensor> plain = run(net.graph, x, {.fuse = false}), fused = run(net.graph, x, {.fuse = true});
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const Tensor wide = convert(plain[i], DType::f64);
    check_close(fused[i], {wide.data<double>().begin(), wide.data<double>().end()}, 1e-3);
  }
  CHECK(to_floats(fused[2])[0] == std::max(0.0F, to_floats(fused[1])[0]));
}

TEST_CASE("data that do not fit the inputs are Errors", "[exec]") {
  const Net net;
  ThreadPool pool(1);
  Executor executor(net.graph, pool);
  for (const Tensor& bad :
       {Tensor(DType::f32, {1, 3, 12}), Tensor(DType::f32, {1, 3, 12, 11}), Tensor(DType::f64, {1, 3, 12, 10})})
    CHECK_THROWS_AS(executor.run({&bad, 1}), Error);
  CHECK_THROWS_AS(executor.run({}), Error);
  const Tensor none(DType::f32, {0, 3, 12, 10});
  CHECK(executor.run({&none, 1})[0].dims() == Dims{0, 5});
}

TEST_CASE("an input or a constant may be an output", "[exec]") {
  Graph g;
  const ValueId x = g.add_input("x", {DType::f32, Shape{2}});
  const ValueId c = g.add_constant("c", random_tensor({3}, 1));
  g.set_outputs({x, c, x});
  const Tensor data = random_tensor({2}, 2);
  const std::vector<Tensor> out = run(g, data, {});
  CHECK(out[0] == data);
  CHECK(out[1] == *g.value(c).constant);
  CHECK(out[2] == data);
}

// Two outputs of one step once shared memory when the first was never read.
TEST_CASE("executor: an output that nothing reads keeps out of the way of its sibling", "[exec]") {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{Dim(1), Dim(1), Dim(4)}});
  const ValueId unread = graph.add_value("largest"), indices = graph.add_value("indices");
  Node node = make_node("MaxPool", {{"kernel_shape", Ints{2}}}, {x}, unread);
  node.outputs.push_back(indices);
  graph.add_node(std::move(node));
  graph.set_outputs({indices});
  infer_types(graph);
  const float values[] = {1, 5, 2, 7};
  const Tensor input = Tensor::from<float>({1, 1, 4}, std::span<const float>(values));
  ThreadPool threads(1);
  for (const bool fuse : {true, false}) {
    const std::vector<Tensor> outputs = Executor(graph, threads, {.fuse = fuse}).run(std::span(&input, 1));
    CHECK(to_int64s(outputs.at(0)) == Ints{1, 1, 3});
  }
}
