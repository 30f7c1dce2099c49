// Which copies can be left out, case by case; random_networks_test.cpp runs whole networks with and without views.
#include "lib/device/views.h"

#include <algorithm>

#include "lib/ops/op_def.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

// A graph under construction, on maps of 4 channels.
struct Maps {
  Graph graph;
  unsigned seed = 1;

  ValueId input(std::int64_t rows) { return graph.add_input("x", {DType::f32, to_shape({1, 4, rows, 8})}); }
  ValueId node(const std::string& op, const Attributes& attributes, const std::vector<ValueId>& inputs) {
    const ValueId out = graph.add_value(op);
    graph.add_node({.name = op, .op = op, .attributes = attributes, .inputs = inputs, .outputs = {out}, .origins = {}});
    return out;
  }
  ValueId conv(ValueId x) { return node("Conv", {}, {x, graph.add_constant("w", random_reals({4, 4, 1, 1}, seed++))}); }
  ValueId concat(const std::vector<ValueId>& parts, std::int64_t axis = 2) {
    return node("Concat", {{"axis", axis}}, parts);
  }
  ValueId rows(ValueId x, std::int64_t first, std::int64_t end) {
    const auto list = [&](std::int64_t i) { return graph.add_constant("i", Tensor::from_i64(Ints{i})); };
    return node("Slice", {}, {x, list(first), list(end), list(2)});
  }
  Program lowered(const std::vector<ValueId>& outputs) {
    graph.set_outputs(outputs);
    infer_types(graph);
    // One grid for all, so that no copy requantizes.
    Graph same = quantized(graph);
    for (const ValueId id : same.values())
      if (Value& value = same.value(id); value.quant && !value.constant && !value.quant->per_channel())
        value.quant = QuantParams{DType::i8, {0.05F}, {3}, -1};
    const Program program = lower(same), copying = lower(same, {.views = false});
    ThreadPool threads(1);
    std::vector<Tensor> inputs;
    for (const ProgramPort& port : program.inputs) inputs.push_back(random_reals(port.onnx_dims, seed++, -6, 6));
    CHECK(simulate_batch(program, inputs, threads, true) == simulate_batch(copying, inputs, threads, true));
    return program;
  }
};

int copies_of(const Program& program) {
  const std::vector<std::string> kernels = kernels_of(program);
  return static_cast<int>(std::count(kernels.begin(), kernels.end(), "tml_copy"));
}

}  // namespace

TEST_CASE("rows are joined where they are computed", "[device]") {
  Maps m;
  const ValueId x = m.input(8);
  const Program program = m.lowered({m.conv(m.concat({m.conv(x), m.conv(x)}))});
  CHECK(copies_of(program) == 0);
  CHECK(program.arena_bytes == 544);  // two convolutions in a row, each 16 bytes below what it consumes
}

TEST_CASE("rows are read where they stand", "[device]") {
  Maps m;
  const ValueId x = m.input(8), y = m.conv(x);
  const Program program = m.lowered({m.conv(m.rows(y, 0, 5)), m.conv(m.rows(y, 3, 8)), m.conv(m.rows(y, 2, 4))});
  CHECK(copies_of(program) == 0);
}

TEST_CASE("channels are joined where they are computed", "[device]") {
  Maps m;
  const ValueId x = m.input(8), joined = m.concat({m.conv(x), m.conv(x), m.conv(x)}, 1);
  const Program program = m.lowered({m.node("Relu", {}, {joined})});
  CHECK(copies_of(program) == 0);
  std::size_t parts = 0;
  for (const ProgramBuffer& b : program.buffers)
    if (b.pitch != 0) {
      CHECK(b.run == 4);
      CHECK(b.pitch == 12);
      CHECK(b.part_offset == 4 * parts++);
    }
  CHECK(parts == 3);
}

TEST_CASE("a transposed convolution and a function write channels apart", "[device]") {
  Maps m;
  const ValueId x = m.input(8), w = m.graph.add_constant("w", random_reals({4, 4, 1, 1}, 9));
  const ValueId joined = m.concat({m.node("ConvTranspose", {}, {x, w}), m.node("Tanh", {}, {x}), m.conv(x)}, 1);
  CHECK(copies_of(m.lowered({m.node("Relu", {}, {joined})})) == 1);  // of which one is the function's table
}

TEST_CASE("joined channels of joined channels", "[device]") {
  Maps m;
  const ValueId x = m.input(8), ab = m.concat({m.conv(x), m.conv(x)}, 1), top = m.concat({ab, m.conv(x)}, 1);
  CHECK(copies_of(m.lowered({m.node("Relu", {}, {top})})) == 0);
}

TEST_CASE("channels that a kernel cannot write apart are copied", "[device]") {
  Maps m;
  const ValueId x = m.input(8), joined = m.concat({m.node("Softmax", {}, {x}), m.conv(x)}, 1);
  CHECK(copies_of(m.lowered({m.node("Relu", {}, {joined})})) == 1);
}

TEST_CASE("channels are read where they stand", "[device]") {
  Maps m;
  const ValueId x = m.input(8), four = m.conv(x), eight = m.concat({m.conv(x), four}, 1);
  const auto list = [&](std::int64_t i) { return m.graph.add_constant("i", Tensor::from_i64(Ints{i})); };
  const ValueId last = m.node("Slice", {}, {eight, list(4), list(8), list(1)});
  const ValueId pooled = m.node("MaxPool", {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}, {four});
  // By a convolution, a pool, and an addition.
  CHECK(copies_of(m.lowered({m.conv(last), m.node("Relu", {}, {eight}), pooled, m.node("Add", {}, {last, x})})) == 0);
}

TEST_CASE("a column window reads any number of channels", "[device]") {
  Maps m;  // 12 of 16 channels, which are 3 of 4 narrower columns
  const ValueId x = m.input(8), twelve = m.concat({m.conv(x), m.conv(x), m.conv(x)}, 1);
  const ValueId all = m.concat({twelve, m.conv(x)}, 1);
  const ValueId w = m.graph.add_constant("w", random_reals({4, 12, 1, 1}, 5));
  CHECK(copies_of(m.lowered({m.node("Relu", {}, {all}), m.node("Conv", {}, {twelve, w})})) == 0);
}

TEST_CASE("the inside of a padded map is computed where it stands", "[device]") {
  const auto padded = [](const Ints& pads) {
    Maps m;
    const ValueId x = m.input(8), list = m.graph.add_constant("p", Tensor::from_i64(pads));
    return kernels_of(m.lowered({m.node("Relu", {}, {m.node("Pad", {}, {m.conv(x), list})})}));
  };
  const auto has = [](const std::vector<std::string>& kernels, const char* kernel) {
    return std::count(kernels.begin(), kernels.end(), kernel);
  };
  const auto channels = padded({0, 4, 0, 0, 0, 8, 0, 0}), rows = padded({0, 0, 1, 0, 0, 0, 2, 0});
  for (const auto& kernels : {channels, rows}) {
    CHECK(has(kernels, "tml_remap_s8") == 0);
    CHECK(has(kernels, "tml_copy") == 2);  // the border
    CHECK(has(kernels, "tml_conv2d_s8") == 1);
  }
  CHECK(has(padded({0, 0, 0, 1, 0, 0, 0, 1}), "tml_remap_s8") == 1);  // columns
}

TEST_CASE("channels of the input and of an output are copied", "[device]") {
  Maps m;
  const ValueId x = m.input(8), y = m.conv(x);
  CHECK(copies_of(m.lowered({m.concat({x, y}, 1), y})) == 2);
}

TEST_CASE("a buffer is part of one other at most", "[device]") {
  Maps m;
  const ValueId x = m.input(8), a = m.conv(x), b = m.conv(x);
  const ValueId first = m.concat({a, b}), second = m.concat({b, a});
  CHECK(copies_of(m.lowered({m.conv(first), m.conv(second)})) == 2);
  Maps twice;
  const ValueId y = twice.conv(twice.input(8));
  CHECK(copies_of(twice.lowered({twice.conv(twice.concat({y, y}))})) == 1);
}

TEST_CASE("parts of parts are parts of the whole", "[device]") {
  Maps m;
  const ValueId x = m.input(8), ab = m.concat({m.conv(x), m.conv(x)}), abc = m.concat({ab, m.conv(x)});
  CHECK(copies_of(m.lowered({m.conv(m.rows(m.rows(abc, 4, 20), 3, 9)), m.conv(abc)})) == 0);
}

TEST_CASE("inputs and outputs may be parts as long as they are aligned", "[device]") {
  Maps m;
  const ValueId x = m.input(8), joined = m.concat({x, m.conv(x)});
  CHECK(copies_of(m.lowered({joined, m.rows(joined, 5, 9)})) == 0);
  Maps odd;
  const ValueId y = odd.conv(odd.input(8));
  const ValueId narrow = odd.node("GlobalAveragePool", {}, {y});  // 4 bytes
  CHECK(copies_of(odd.lowered({odd.concat({narrow, odd.node("GlobalMaxPool", {}, {y})}), narrow})) == 0);
  Maps late;
  const ValueId z = late.conv(late.input(8));
  const ValueId one = late.node("GlobalAveragePool", {}, {z}), two = late.node("GlobalMaxPool", {}, {z});
  CHECK(copies_of(late.lowered({late.concat({one, two}), two})) == 1);  // an output at 4 bytes behind another
}

TEST_CASE("a copy that requantizes stays", "[device]") {
  Maps m;
  const ValueId x = m.input(8), y = m.concat({m.conv(x), m.conv(x)});
  m.graph.set_outputs({m.conv(y)});
  infer_types(m.graph);
  Graph graph = quantized(m.graph);
  for (const ValueId id : graph.values())
    if (Value& value = graph.value(id); id == y) value.quant = QuantParams{DType::i8, {0.07F}, {1}, -1};
  CHECK(copies_of(lower(graph)) == 2);
}
