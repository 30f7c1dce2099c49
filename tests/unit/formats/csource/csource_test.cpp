// The emitted C: a tiny model's text line by line, and a folder that compiles without a warning and passes its own
// test.
#include "formats/csource/csource.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lib/device/lower.h"
#include "lib/device/simulate.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

const std::string& text_of(const std::vector<EmittedFile>& files, const std::string& name) {
  for (const EmittedFile& file : files)
    if (file.name == name) return file.text;
  FAIL("no file " + name);
  return files[0].text;
}

// y = 2 x, both at scale 0.5: a table.
Graph doubling() {
  Graph graph = one_op("Mul", {}, {random_reals({1, 4}, 1), Tensor::scalar(2.0F)});
  graph.value(graph.inputs()[0]).quant = QuantParams{DType::i8, {0.5F}, {0}, -1};
  graph.value(graph.outputs()[0]).quant = QuantParams{DType::i8, {0.5F}, {0}, -1};
  return graph;
}

std::vector<GoldenVector> golden_of(const Program& program, int count) {
  Simulator simulator(program);
  std::vector<GoldenVector> golden;
  for (int i = 0; i < count; ++i) {
    GoldenVector vector;
    for (const ProgramPort& port : program.inputs)
      vector.inputs.push_back(convert(random_reals(port.dims, static_cast<unsigned>(i) + 1, -128, 127), port.dtype));
    vector.outputs = simulator.run(vector.inputs);
    golden.push_back(std::move(vector));
  }
  return golden;
}

}  // namespace

TEST_CASE("a tiny model's source", "[csource]") {
  const std::vector<EmittedFile> files = emit_c(lower(doubling()), {.name = "tiny", .golden = {}, .bundle = false});
  REQUIRE(files.size() == 3);
  const std::string& source = text_of(files, "tiny.c");
  const std::string expected_end = R"(
/* 0: node (Mul) */
static const tml_lut_params tiny_step0 = {
  .table = tiny_node_table, .count = 4u};
static const uint32_t tiny_operands0[] = {0u, 0u};

static const tml_step tiny_steps[] = {
  {tml_lut_s8, &tiny_step0, tiny_operands0}
};

int8_t *tiny_input0(void *arena) {
  return (int8_t *)(void *)((uint8_t *)arena + 0);
}

const int8_t *tiny_output0(const void *arena) {
  return (const int8_t *)(const void *)((const uint8_t *)arena + 0);
}

int tiny_invoke(void *arena) {
  tml_context context;
  context.arena = (uint8_t *)arena;
  return tml_run(tiny_steps, 1, &context);
}
)";
  REQUIRE(source.size() > expected_end.size());
  CHECK(source.substr(source.size() - expected_end.size()) == expected_end);
  const std::string& header = text_of(files, "tiny.h");
  for (const char* line : {"#define TINY_ARENA_BYTES 4\n", "#define TINY_INPUT0_BYTES 4\n",
                           "#define TINY_INPUT0_SCALE 0.5f\n", "#define TINY_INPUT0_SHAPE {1, 4}\n",
                           "#define TINY_OUTPUT0_ZERO_POINT 0\n", "int8_t *tiny_input0(void *arena);\n",
                           "int tiny_invoke(void *arena);\n", "const int8_t *tiny_output0(const void *arena);\n"})
    CHECK(header.find(line) != std::string::npos);
  CHECK(emit_c(lower(doubling()), {.name = "tiny", .golden = {}, .bundle = false})[1].text == source);
}

TEST_CASE("names that are no C identifier are refused", "[csource]") {
  const Program program = lower(doubling());
  for (const char* name : {"", "1st", "a-b", "a b", "tml_x"})
    CHECK_THROWS_AS(emit_c(program, {.name = name, .golden = {}, .bundle = false}), Error);
}

TEST_CASE("an emitted folder compiles by itself and passes its self-test", "[csource]") {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, to_shape({1, 3, 8, 8})});
  const ValueId w = graph.add_constant("w", random_reals({6, 3, 3, 3}, 1)), conv = graph.add_value("conv");
  const ValueId padded = graph.add_value("padded"),
                pads = graph.add_constant("pads", Tensor::from_i64(Ints{0, 0, 1, 0, 0, 0, 0, 1}));
  const ValueId pooled = graph.add_value("pooled"), soft = graph.add_value("soft");
  const auto node = [&](const char* op, Attributes attributes, std::vector<ValueId> inputs, ValueId output) {
    graph.add_node({.name = op,
                    .op = op,
                    .attributes = std::move(attributes),
                    .inputs = std::move(inputs),
                    .outputs = {output},
                    .origins = {"*/ evil /*"}});
  };
  node("Conv", {}, {x, w}, conv);
  node("Pad", {}, {conv, pads}, padded);
  node("AveragePool", {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}, {padded}, pooled);
  node("Softmax", {{"axis", std::int64_t{1}}}, {pooled}, soft);
  graph.set_outputs({soft});
  infer_types(graph);
  const Program program = lower(quantized(graph));

  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "tinyml_csource_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  for (const EmittedFile& file : emit_c(program, {.name = "net", .golden = golden_of(program, 5), .bundle = true}))
    std::ofstream(folder / file.name) << file.text;
  std::ofstream(folder / "main.c") << R"(#include "net.h"
static union { int64_t align[2]; uint8_t bytes[NET_ARENA_BYTES + 16]; } memory;
int main(void) {
  uint8_t *arena = memory.bytes + (16 - (uintptr_t)memory.bytes % 16) % 16;
  net_input0(arena)[0] = net_quantize_input0(0.25f);
  if (net_dequantize_output0(-128) != 0.0f) return 100;
  return net_self_test(arena);
}
)";
  const std::string quoted = "'" + folder.string() + "'";
  const std::string command =
      "gcc -std=c99 -Wall -Wextra -Werror -pedantic -I " + quoted + " " + quoted + "/*.c -o " + quoted + "/net";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(std::system((quoted + "/net").c_str()) == 0);
  std::filesystem::remove_all(folder);
}

namespace {

// First layer, depthwise, 1x1 with an odd number of pixels, a large window, pools, fully connected.
Graph all_forms() {
  Graph graph;
  ValueId at = graph.add_input("x", {DType::f32, to_shape({1, 3, 9, 11})});
  const auto node = [&](const char* op, const std::string& name, Attributes attributes, const Dims& weights = {}) {
    std::vector<ValueId> inputs{at};
    if (!weights.empty()) inputs.push_back(graph.add_constant(name + "_w", random_reals(weights, 7)));
    at = graph.add_value(name);
    graph.add_node({.name = name,
                    .op = op,
                    .attributes = std::move(attributes),
                    .inputs = std::move(inputs),
                    .outputs = {at},
                    .origins = {name}});
  };
  const Ints padded{1, 1, 1, 1};
  node("Conv", "first", {{"pads", padded}}, {8, 3, 3, 3});
  node("Conv", "by_channel", {{"pads", padded}, {"group", std::int64_t{8}}}, {8, 1, 3, 3});
  node("Conv", "point", {}, {20, 8, 1, 1});
  node("AveragePool", "pool", {{"kernel_shape", Ints{3, 3}}, {"pads", padded}});
  node("Conv", "by_channel_halved", {{"pads", padded}, {"group", std::int64_t{20}}, {"strides", Ints{2, 2}}},
       {20, 1, 3, 3});
  node("Conv", "large", {{"pads", padded}}, {6, 20, 3, 3});
  node("GlobalAveragePool", "mean", {});
  node("Flatten", "flat", {});
  node("Gemm", "dense", {{"transB", std::int64_t{1}}}, {5, 6});
  graph.set_outputs({at});
  infer_types(graph);
  return quantized(graph);
}

}  // namespace

// Golden vectors are what the simulation's kernels compute in their general form. Two models in one firmware, so that
// neither the functions nor the kernels' names meet.
TEST_CASE("functions for given shapes compile without a warning and compute what the kernels compute", "[csource]") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "tinyml_csource_fixed_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const Graph graph = all_forms();
  for (const auto& [name, target] : {std::pair{"portable", Target::cortex_m0}, std::pair{"simd", Target::cortex_m4}}) {
    LowerOptions options;
    options.target = target;
    options.specialize = Specialize::all;
    const Program program = lower(graph, options);
    CHECK(program.fixed.size() == (target == Target::cortex_m0 ? 3U : 2U));
    for (const EmittedFile& file : emit_c(program, {.name = name, .golden = golden_of(program, 20), .bundle = true})) {
      if (!file.name.ends_with(".c") && !file.name.ends_with(".h")) continue;
      std::ofstream(folder / file.name) << file.text;
    }
  }
  std::ofstream(folder / "main.c") << R"(#include "simd.h"
#include "portable.h"
static union { int64_t align[2]; uint8_t bytes[PORTABLE_ARENA_BYTES + SIMD_ARENA_BYTES + 16]; } memory;
int main(void) {
  uint8_t *arena = memory.bytes + (16 - (uintptr_t)memory.bytes % 16) % 16;
  const int first = portable_self_test(arena);
  return first != 0 ? first : simd_self_test(arena);
}
)";
  const std::string quoted = "'" + folder.string() + "'";
  const std::string command = "gcc -std=c99 -O2 -Wall -Wextra -Wconversion -Wshadow -Werror -pedantic -I " + quoted +
                              " " + quoted + "/*.c -o " + quoted + "/both";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(std::system((quoted + "/both").c_str()) == 0);
  std::filesystem::remove_all(folder);
}
