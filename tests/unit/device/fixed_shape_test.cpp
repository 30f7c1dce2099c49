// Kernels compiled for a layer's shape: which steps share a function, what it holds constant, what auto, none and all
// choose, and predictions against counts under QEMU on layers that the fit has not seen (MLPerf Tiny's kws01).
#include "lib/device/fixed_shape.h"

#include <catch2/catch.hpp>
#include <map>

#include "lib/ops/op_def.h"
#include "lib/support/error.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

// x -> three 1x1 convolutions, the first two of one shape, then a 5x5 one.
Graph points() {
  Graph graph;
  ValueId at = graph.add_input("x", {DType::f32, to_shape({1, 8, 6, 6})});
  const auto conv = [&](const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel) {
    const ValueId w = graph.add_constant(name + "_w", random_reals({out, in, kernel, kernel}, 1));
    const ValueId y = graph.add_value(name);
    graph.add_node(
        {.name = name, .op = "Conv", .attributes = {}, .inputs = {at, w}, .outputs = {y}, .origins = {name}});
    at = y;
  };
  conv("one", 8, 8, 1);
  conv("two", 8, 8, 1);
  conv("wider", 8, 16, 1);
  conv("large", 16, 4, 5);
  graph.set_outputs({at});
  infer_types(graph);
  return quantized(graph);
}

Program lowered(const Graph& graph, Target target, Specialize specialize, Optimize optimize = Optimize::speed) {
  LowerOptions options;
  options.target = target, options.specialize = specialize, options.optimize = optimize;
  return lower(graph, options);
}

ProgramStep convolution(const std::map<std::string, std::int64_t>& fields) {
  ProgramStep step;
  step.kernel = "tml_conv2d_s8";
  LoweredStep same;
  same.kernel = step.kernel;
  for (const auto& [name, value] : fields) {
    step.fields.push_back({name, value, {}});
    same.fields.push_back({name, value});
  }
  for (const CostTerm& term : cost_terms(same, Target::cortex_m0)) step.terms.emplace_back(term.name, term.times);
  return step;
}

ProgramStep kws01_point() {
  return convolution({{"batches", 1},
                      {"in_h", 25},
                      {"in_w", 5},
                      {"in_c", 64},
                      {"out_h", 25},
                      {"out_w", 5},
                      {"out_c", 64},
                      {"groups", 1},
                      {"kernel_h", 1},
                      {"kernel_w", 1},
                      {"stride_h", 1},
                      {"stride_w", 1},
                      {"dilation_h", 1},
                      {"dilation_w", 1},
                      {"multiplier_step", 1},
                      {"clamp_min", -128},
                      {"clamp_max", 127}});
}

ProgramStep kws01_depthwise() {
  ProgramStep step;
  step.kernel = "tml_depthwise3x3_s8_dsp";
  const std::map<std::string, std::int64_t> fields{
      {"batches", 1}, {"in_h", 25},    {"in_w", 5},       {"channels", 64},  {"out_h", 25},       {"out_w", 5},
      {"pad_top", 1}, {"pad_left", 1}, {"band_rows", 14}, {"code_shift", 5}, {"clamp_min", -128}, {"clamp_max", 127}};
  for (const auto& [name, value] : fields) step.fields.push_back({name, value, {}});
  return step;
}

double predicted(const ProgramStep& step, Target target) {
  return predicted_instructions(fixed_form(step), fixed_terms(step), target).value();
}

}  // namespace

TEST_CASE("steps of one shape share a function, and its constants are what they agree in", "[device]") {
  const Program program = lowered(points(), Target::riscv32, Specialize::all);
  REQUIRE(program.steps.size() == 4);
  CHECK(program.steps[0].fixed == program.steps[1].fixed);
  CHECK(program.steps[2].fixed != program.steps[0].fixed);
  const ProgramFixed& shared = program.fixed[static_cast<std::size_t>(program.steps[0].fixed)];
  CHECK(shared.steps == std::vector<std::size_t>{0, 1});
  CHECK(shared.form == "tml_conv2d_s8/short_point");
  const auto has = [&](const std::string& name) {
    for (const ProgramField& field : shared.same)
      if (field.name == name) return true;
    return false;
  };
  CHECK(has("in_c"));
  CHECK(has("pad_top"));        // a zero is a constant too
  CHECK_FALSE(has("weights"));  // read from the step's record
  CHECK(program.steps[0].fields != program.steps[1].fields);
}

TEST_CASE("none has no such function, and the generic target no prediction to choose by", "[device]") {
  CHECK(lowered(points(), Target::riscv32, Specialize::none).fixed.empty());
  CHECK(lowered(points(), Target::generic, Specialize::worthwhile).fixed.empty());
  CHECK(lowered(points(), Target::generic, Specialize::all).fixed.size() >= 2);
}

TEST_CASE("auto saves instructions, and for size no byte is added", "[device]") {
  const Graph graph = points();
  const auto total = [](const Program& program) {
    double sum = 0;
    for (const ProgramStep& step : program.steps) sum += step.instructions.value();
    return sum;
  };
  const Program none = lowered(graph, Target::riscv32, Specialize::none);
  const Program some = lowered(graph, Target::riscv32, Specialize::worthwhile);
  REQUIRE_FALSE(some.fixed.empty());
  CHECK(total(some) < total(none));
  double saved = 0;
  for (const ProgramFixed& fixed : some.fixed) saved += fixed.saved_instructions.value();
  CHECK(total(none) - total(some) == Approx(saved).epsilon(1e-6));
  for (const Target target : {Target::riscv32, Target::cortex_m0, Target::cortex_m4}) {
    const Program least = lowered(graph, target, Specialize::worthwhile, Optimize::size);
    double bytes = 0;
    for (const ProgramFixed& fixed : least.fixed) bytes += fixed.flash_bytes.value();
    CHECK(bytes <= least.unneeded_kernel_bytes);
  }
}

TEST_CASE("predicted instructions of kernels for a shape are within 5% of what QEMU counts", "[device]") {
  CHECK(predicted(kws01_point(), Target::cortex_m0) == Approx(3464456).epsilon(0.05));
  CHECK(predicted(kws01_point(), Target::riscv32) == Approx(2043887).epsilon(0.05));
  CHECK(predicted(kws01_depthwise(), Target::cortex_m4) == Approx(150525).epsilon(0.05));
}

TEST_CASE("a choice that is not known is refused", "[device]") { CHECK_THROWS_AS(parse_specialize("some"), Error); }
