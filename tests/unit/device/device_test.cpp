// Helpers of the device tests.
#include "tests/unit/device/device_test.h"

#include <cmath>
#include <random>

#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "passes/quantize/assign_params.h"
#include "passes/quantize/int16_values.h"
#include "passes/quantize/quantize_weights.h"

namespace tinyml::test {

Tensor random_reals(const Dims& dims, unsigned seed, float low, float high) {
  Tensor tensor(DType::f32, dims);
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  for (float& x : tensor.data<float>()) x = uniform(random);
  return tensor;
}

Graph one_op(const std::string& op, const Attributes& attributes, const std::vector<Tensor>& inputs,
             std::size_t first_constant, std::size_t outputs) {
  Graph graph;
  Node node{.name = "node", .op = op, .attributes = attributes, .inputs = {}, .outputs = {}, .origins = {"origin"}};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].size() == 0)
      node.inputs.push_back(ValueId::none);
    else if (i < first_constant)
      node.inputs.push_back(graph.add_input("x" + std::to_string(i), {inputs[i].dtype(), to_shape(inputs[i].dims())}));
    else
      node.inputs.push_back(graph.add_constant("c" + std::to_string(i), inputs[i]));
  }
  for (std::size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph.add_value("y" + std::to_string(i)));
  const std::vector<ValueId> results = node.outputs;
  graph.add_node(std::move(node));
  graph.set_outputs(results);
  infer_types(graph);
  return graph;
}

namespace {

std::vector<Tensor> random_inputs(const Graph& graph, unsigned seed, float low, float high) {
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    const TensorType& type = graph.value(id).type;
    Tensor reals = random_reals(to_dims(*type.shape), seed + static_cast<unsigned>(id), low, high);
    inputs.push_back(type.dtype == DType::f32 ? std::move(reals) : convert(reals, type.dtype));
  }
  return inputs;
}

}  // namespace

Graph quantized(const Graph& original, float low, float high, const QuantizeOptions& options) {
  Graph graph = original;
  ThreadPool threads(1);
  const PassContext context{threads};
  QuantPlan plan = make_plan(graph, {});
  QuantizeReport report;
  hold_in_int16(graph, plan, chosen_int16_values(graph, plan, options, report), options.exclude);
  for (auto& entry : plan.nodes) entry.weights = options.weights;
  const Graph reference = graph;
  CalibrationData data;
  data.samples = 8;
  data.read = [&](std::size_t first, std::size_t) {
    return random_inputs(original, static_cast<unsigned>(first) * 100 + 1, low, high);
  };
  const Calibration calibration = calibrate(graph, plan, data, options, context);
  assign_params(graph, plan, calibration, options);
  quantize_weights(graph, plan, {reference, calibration, data, options, context});
  for (const ValueId id : graph.inputs())  // an input of ArgMax alone is in no plan
    if (Value& value = graph.value(id); value.type.dtype == DType::f32 && !value.quant)
      value.quant = options.activation_type == DType::i16
                        ? QuantParams{DType::i16, {std::max(high, -low) / 32767}, {0}, -1}
                        : QuantParams{DType::i8, {(high - low) / 255}, {0}, -1};
  return graph;
}

Agreement agreement(const Graph& graph, float low, float high, int samples) {
  const Program program = lower(graph);
  ThreadPool threads(1);
  Executor executor(graph, threads, {.fake_quantize = true, .fuse = false});
  Agreement result;
  std::int64_t differing = 0;
  for (int s = 0; s < samples; ++s) {
    const std::vector<Tensor> inputs = random_inputs(graph, 5000 + static_cast<unsigned>(s) * 100, low, high);
    const std::vector<Tensor> expected = executor.run(inputs), got = simulate_batch(program, inputs, threads);
    for (std::size_t o = 0; o < got.size(); ++o) {
      REQUIRE(got[o].dims() == expected[o].dims());
      const double unit = program.outputs[o].quant ? static_cast<double>(program.outputs[o].quant->scales[0]) : 1;
      const auto a = to_floats(got[o]), b = to_floats(expected[o]);
      for (std::size_t i = 0; i < a.size(); ++i) {
        const int off =
            static_cast<int>(std::lround(std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])) / unit));
        result.worst = std::max(result.worst, off);
        differing += off != 0 ? 1 : 0;
        ++result.elements;
      }
    }
  }
  result.differing = static_cast<double>(differing) / static_cast<double>(std::max<std::int64_t>(1, result.elements));
  return result;
}

void check_device(const Graph& graph, int most, float low, float high, double most_differing) {
  const Agreement result = agreement(quantized(graph, low, high), low, high);
  CHECK(result.elements > 0);
  CHECK(result.worst <= most);
  CHECK(result.differing <= most_differing);
}

std::vector<std::string> kernels_of(const Program& program) {
  std::vector<std::string> names;
  for (const ProgramStep& step : program.steps) names.push_back(step.kernel);
  return names;
}

}  // namespace tinyml::test
