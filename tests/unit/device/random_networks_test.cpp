// Random networks of many operators, lowered and simulated: against the float executor with fake quantization, and
// against themselves in an arena where nothing is shared (so that a wrong lifetime or layout shows).
#include <random>
#include <set>

#include "lib/ops/op_def.h"
#include "lib/runtime/tinyml_runtime.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

class Generator {
 public:
  // in_words: most maps have a multiple of four channels, which are joined and split more often.
  explicit Generator(unsigned seed, bool in_words = false) : in_words_(in_words), random_(seed) {
    const Dims input{1, pick(1, 4), pick(5, 10), pick(5, 10)};
    if (pick(0, 1) == 0) {
      values_.push_back(graph_.add_input("x", {DType::f32, to_shape(input)}));
    } else {  // as an NHWC model enters
      const ValueId x = graph_.add_input("x", {DType::f32, to_shape({1, input[2], input[3], input[1]})});
      values_.push_back(node("Transpose", {{"perm", Ints{0, 3, 1, 2}}}, {x}));
    }
  }

  Graph make() {
    const std::int64_t layers = pick(2, 10);
    for (std::int64_t i = 0; i < layers; ++i) add_layer();
    finish();
    graph_.sort();
    infer_types(graph_);
    return graph_;
  }

 private:
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<unsigned>(high - low + 1));
  }
  Dims dims(ValueId id) const { return to_dims(*graph_.value(id).type.shape); }
  ValueId any() { return values_[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(values_.size()) - 1))]; }
  ValueId weights(const Dims& d, float low = -1, float high = 1) {
    return graph_.add_constant("c", random_reals(d, static_cast<unsigned>(random_()), low, high));
  }
  ValueId ints(const Ints& list) { return graph_.add_constant("i", Tensor::from_i64(list)); }
  ValueId node(const std::string& op, const Attributes& attributes, std::vector<ValueId> inputs) {
    const ValueId out = graph_.add_value(op);
    graph_.add_node(
        {.name = op, .op = op, .attributes = attributes, .inputs = std::move(inputs), .outputs = {out}, .origins = {}});
    infer_types(graph_);
    return out;
  }

  void add_layer() {
    const ValueId x = any();
    const Dims d = dims(x);
    if (in_words_ && pick(0, 2) == 0) {
      const std::int64_t kind = pick(0, 4);
      if (kind == 4)
        return values_.push_back(node("Pad", {}, {x, ints({0, 4 * pick(0, 1), pick(0, 2), 0, 0, pick(0, 5), 0, 0})}));
      return kind < 2 ? concat(x, 1) : split(x, 1);
    }
    switch (pick(0, 17)) {
      case 0:
      case 1:
        return values_.push_back(conv(x, 1));
      case 2:
        return values_.push_back(conv(x, d[1]));
      case 3:
        return values_.push_back(node("Relu", {}, {conv(x, 1)}));
      case 4:
        return values_.push_back(node(pick(0, 1) == 0 ? "Sigmoid" : "HardSwish", {}, {x}));
      case 5:
        return add_pair("Add", x);
      case 6:
        return add_pair(pick(0, 1) == 0 ? "Mul" : "Sub", x);
      case 7:
        return add_pair("Max", x);
      case 8:
        return concat(x, 1);
      case 15:
        return concat(x, 2);
      case 16:
        return split(x, 2);
      case 9:
        return pool(x);
      case 10:
        return values_.push_back(node("Pad", {}, {x, ints({0, 0, pick(0, 2), pick(0, 2), 0, 0, pick(0, 2), 1})}));
      case 11:
        if (d[2] > 2) values_.push_back(node("Slice", {}, {x, ints({1}), ints({d[2]}), ints({2})}));
        return;
      case 12:
        return values_.push_back(node("PRelu", {}, {x, weights({d[1], 1, 1})}));
      case 13: {
        const ValueId mean = node("ReduceMean", {}, {x, ints({2, 3})});
        return values_.push_back(node("Mul", {}, {x, node("Sigmoid", {}, {mean})}));  // squeeze and excite
      }
      case 14: {
        const ValueId there = node("Transpose", {{"perm", Ints{0, 2, 3, 1}}}, {x});
        const ValueId back = node("Tanh", {}, {there});
        return values_.push_back(node("Transpose", {{"perm", Ints{0, 3, 1, 2}}}, {back}));
      }
      default: {
        const ValueId rows = node("Reshape", {}, {x, ints({1, d[1] * d[2], d[3]})});
        return values_.push_back(node("Reshape", {}, {node("Softmax", {}, {rows}), ints(d)}));
      }
    }
  }

  ValueId conv(ValueId x, std::int64_t groups) {
    const Dims d = dims(x);
    const std::int64_t k = d[2] >= 3 && d[3] >= 3 ? pick(0, 1) * 2 + 1 : 1;
    const std::int64_t each = in_words_ && pick(0, 5) > 0 ? 4 * pick(1, 3) : pick(1, 6);
    const std::int64_t out = groups == 1 ? each : groups * pick(1, 2);
    const Attributes attributes{{"group", groups},
                                {"pads", Ints{k / 2, k / 2, pick(0, k / 2), k / 2}},
                                {"strides", Ints{pick(1, 2), pick(1, 2)}}};
    return node("Conv", attributes, {x, weights({out, d[1] / groups, k, k}), weights({out})});
  }

  void add_pair(const char* op, ValueId x) {
    const Dims d = dims(x);
    for (const ValueId other : values_)
      if (other != x && dims(other) == d) return values_.push_back(node(op, {}, {x, other}));
    values_.push_back(node(op, {}, {x, pick(0, 1) == 0 ? weights({d[1], 1, 1}) : weights({d[3]})}));
  }

  void concat(ValueId x, std::int64_t axis) {
    const Dims d = dims(x);
    std::vector<ValueId> parts{x};
    for (const ValueId other : values_) {
      const Dims e = dims(other);
      const auto other_axis = static_cast<std::size_t>(3 - axis);
      if (e[3] == d[3] && e[other_axis] == d[other_axis] && parts.size() < 3 && pick(0, 2) > 0) parts.push_back(other);
    }
    values_.push_back(node("Concat", {{"axis", axis}}, parts));
  }

  void split(ValueId x, std::int64_t axis) {
    const std::int64_t rows = dims(x)[static_cast<std::size_t>(axis)];
    if (rows < 2) return;
    std::int64_t first = pick(1, rows - 1);
    if (in_words_ && rows % 4 == 0 && rows > 4) first = 4 * pick(1, rows / 4 - 1);
    const ValueId parts = ints({first, rows - first});
    const ValueId top = graph_.add_value("top"), bottom = graph_.add_value("bottom");
    graph_.add_node({.name = "Split",
                     .op = "Split",
                     .attributes = {{"axis", axis}},
                     .inputs = {x, parts},
                     .outputs = {top, bottom},
                     .origins = {}});
    infer_types(graph_);
    for (const ValueId part : {top, bottom}) values_.push_back(part);
  }

  void pool(ValueId x) {
    const Dims d = dims(x);
    if (d[2] < 2 || d[3] < 2) return;
    values_.push_back(node(
        pick(0, 1) == 0 ? "MaxPool" : "AveragePool",
        {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{pick(1, 2), pick(1, 2)}}, {"pads", Ints{0, pick(0, 1), 0, 0}}},
        {x}));
  }

  void finish() {
    const ValueId x = values_.back();
    const Dims d = dims(x);
    std::vector<ValueId> outputs{x};
    switch (pick(0, 2)) {
      case 0:
        outputs[0] = node("Gemm", {}, {node("Flatten", {}, {x}), weights({d[1] * d[2] * d[3], 4}), weights({4})});
        break;
      case 1:
        outputs[0] = node("Flatten", {}, {node("GlobalAveragePool", {}, {x})});
        break;
      default:
        break;
    }
    if (pick(0, 3) == 0 && values_.size() > 2 && graph_.value(values_[1]).producer != NodeId::none)
      outputs.push_back(values_[1]);
    graph_.set_outputs(outputs);
  }

  bool in_words_;
  std::mt19937 random_;
  Graph graph_;
  std::vector<ValueId> values_;
};

// The same steps with every buffer in a place of its own, parts in their buffer's.
Program unshared(Program program) {
  program.arena_bytes = 0;
  for (ProgramBuffer& buffer : program.buffers) {
    if (buffer.part_of >= 0) continue;
    buffer.offset = program.arena_bytes;
    program.arena_bytes += (buffer.bytes + 15) / 16 * 16;
  }
  for (ProgramBuffer& buffer : program.buffers)
    if (buffer.part_of >= 0)
      buffer.offset = program.buffers[static_cast<std::size_t>(buffer.part_of)].offset + buffer.part_offset;
  return program;
}

// Follows the steps and remembers what every byte of the arena holds (which buffer's which byte, parts counting as
// their buffer's): no step may find another byte where it reads, and the outputs must be whole at the end.
class Contents {
 public:
  explicit Contents(const Program& program) : program_(program), held_(program.arena_bytes, Byte{-1, 0}) {}

  void check() {
    for (const ProgramPort& port : program_.inputs) fill(port.buffer);
    for (const ProgramStep& step : program_.steps) {
      INFO(step.name);
      const std::size_t inputs = step.operands.size() - (step.scratch >= 0 ? 2 : 1);
      for (std::size_t i = 0; i < inputs; ++i)
        if (!is_of_constant(step)) expect(step.operands[i]);
      if (step.scratch >= 0) fill(step.scratch);
      if (step.kernel == "tml_copy")
        fill_copied(step);
      else
        fill(step.output);
    }
    for (const ProgramPort& port : program_.outputs) expect(port.buffer);
  }

 private:
  using Byte = std::pair<int, std::size_t>;

  // Concat of a constant names its target as operand twice.
  static bool is_of_constant(const ProgramStep& step) {
    return step.kernel == "tml_copy" && step.operands[0] == step.operands[1];
  }
  static std::vector<std::int64_t> field(const ProgramStep& step, const std::string& name) {
    for (const ProgramField& f : step.fields) {
      if (f.name != name) continue;
      if (const auto* one = std::get_if<std::int64_t>(&f.value)) return {*one};
      return std::get<std::vector<std::int64_t>>(f.value);
    }
    return std::vector<std::int64_t>(TML_MAX_DIMS, 0);
  }
  void fill_copied(const ProgramStep& step) {
    const auto dims = field(step, "dims"), strides = field(step, "out_strides");
    std::vector<std::int64_t> places{field(step, "out_offset")[0]};
    for (std::size_t d = 0; d < dims.size(); ++d) {
      std::vector<std::int64_t> next;
      for (const std::int64_t place : places)
        for (std::int64_t i = 0; i < dims[d]; ++i) next.push_back(place + i * strides[d]);
      places = std::move(next);
    }
    const std::int64_t width = field(step, "element_bytes")[0];
    for (const std::int64_t place : places)
      for (std::int64_t i = place; i < place + width; ++i)
        held_[buffer(step.output).offset + static_cast<std::size_t>(i)] =
            byte(step.output, static_cast<std::size_t>(i));
  }
  const ProgramBuffer& buffer(int b) const { return program_.buffers[static_cast<std::size_t>(b)]; }
  // i: counted from the buffer's offset.
  Byte byte(int b, std::size_t i) const {
    return buffer(b).part_of < 0 ? Byte{b, i} : Byte{buffer(b).part_of, buffer(b).part_offset + i};
  }
  std::size_t place(int b, std::size_t i) const {
    return buffer(b).pitch == 0 ? i : i / buffer(b).run * buffer(b).pitch + i % buffer(b).run;
  }
  void fill(int b) {
    for (std::size_t i = 0; i < buffer(b).bytes; ++i) held_[buffer(b).offset + place(b, i)] = byte(b, place(b, i));
  }
  void expect(int b) const {
    bool whole = true;
    for (std::size_t i = 0; i < buffer(b).bytes; ++i)
      whole = whole && held_[buffer(b).offset + place(b, i)] == byte(b, place(b, i));
    INFO(buffer(b).name);
    CHECK(whole);
  }

  const Program& program_;
  std::vector<Byte> held_;
};

}  // namespace

TEST_CASE("random networks", "[device]") {
  double differing = 0, elements = 0;
  std::size_t views = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    const Graph graph = quantized(Generator(seed).make());
    const Agreement result = agreement(graph, -1, 1, 2);
    CHECK(result.elements > 0);
    CHECK(result.worst <= 4);  // a unit that one layer rounds the other way may grow through the layers behind it
    elements += static_cast<double>(result.elements);
    differing += result.differing * static_cast<double>(result.elements);
    const Program program = lower(graph), apart = unshared(program);
    ThreadPool threads(1);
    const std::vector<Tensor> inputs{random_reals(program.inputs[0].onnx_dims, seed)};
    CHECK(simulate_batch(program, inputs, threads, true) == simulate_batch(apart, inputs, threads, true));
    const std::vector<Tensor> sample{port_sample(inputs[0], program.inputs[0], 0)};
    Simulator simulator(program), elsewhere(apart);
    std::vector<std::uint32_t> layers, layers_apart;
    CHECK_NOTHROW(simulator.run_guarded(sample));
    CHECK(simulator.run_traced(sample, layers) == elsewhere.run_traced(sample, layers_apart));
    CHECK(layers == layers_apart);
    for (const std::size_t share : {4U, 2U, 1U}) {  // of the arena that may be in the fast region
      const Program regions =
          lower(graph, {.target = Target::cortex_m4, .fast_arena = program.arena_bytes / 8 * 8 * share / 4});
      CHECK(regions.arena_bytes <= program.arena_bytes / 8 * 8 * share / 4);
      CHECK(Simulator(regions).run_guarded(sample) == simulator.run(sample));
    }
    Contents(program).check();
    const Program copying = lower(graph, {.views = false});
    CHECK(Simulator(copying).run(sample) == simulator.run(sample));
    CHECK(copying.arena_bytes >= program.arena_bytes);
    views += copying.steps.size() - program.steps.size();
    if (seed % 4 == 0) {
      const Program least = lower(graph, {.target = Target::cortex_m4, .max_arena = 1});
      CHECK(Simulator(least).run_guarded(sample) == simulator.run(sample));
      Contents(least).check();
    }
    for (const Target target : {Target::cortex_m4, Target::cortex_m55})
      for (const Optimize aim : {Optimize::speed, Optimize::size, Optimize::ram}) {
        const Program variant = lower(graph, {target, aim});
        INFO(target_name(target) << ", aim " << static_cast<int>(aim));
        CHECK(Simulator(variant).run_guarded(sample) == simulator.run(sample));
        Contents(variant).check();
      }
  }
  CHECK(differing <= 0.01 * elements);
  CHECK(views > 50);
}

TEST_CASE("random networks of channels that are joined and split", "[device]") {
  std::size_t pitched = 0, saved = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    const Graph graph = quantized(Generator(seed, true).make());
    const Program copying = lower(graph, {.views = false});
    const std::vector<Tensor> inputs{random_reals(copying.inputs[0].onnx_dims, seed)};
    const std::vector<Tensor> sample{port_sample(inputs[0], copying.inputs[0], 0)};
    const std::vector<Tensor> expected = Simulator(copying).run(sample);
    for (const Target target : {Target::generic, Target::cortex_m4, Target::cortex_m55})
      for (const Optimize aim : {Optimize::speed, Optimize::ram}) {
        const Program program = lower(graph, {target, aim});
        INFO(target_name(target) << ", aim " << static_cast<int>(aim));
        CHECK(Simulator(program).run_guarded(sample) == expected);
        CHECK(Simulator(unshared(program)).run(sample) == expected);
        Contents(program).check();
        for (const ProgramBuffer& buffer : program.buffers) pitched += buffer.pitch != 0 ? 1 : 0;
        saved += copying.steps.size() - std::min(copying.steps.size(), program.steps.size());
      }
    if (seed % 4 == 0) {
      const Program least = lower(graph, {.target = Target::cortex_m4, .max_arena = 1});
      CHECK(Simulator(least).run_guarded(sample) == expected);
      Contents(least).check();
    }
  }
  CHECK(pitched > 200);
  CHECK(saved > 200);
}
