// Every operator meets nodes that a broken or hostile file could hold: random operands, attributes of random types and
// values. Each must either work, with the shape that inference promised, or throw an Error that blames the input.
#include <catch2/catch.hpp>
#include <random>

#include "tests/unit/ops/op_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

class Hostile {
 public:
  explicit Hostile(std::uint_fast32_t seed) : generator_(seed) {}

  std::size_t below(std::size_t n) { return generator_() % n; }

  std::int64_t integer() {
    constexpr std::array<std::int64_t, 18> kInts{0,
                                                 1,
                                                 1,
                                                 2,
                                                 2,
                                                 3,
                                                 4,
                                                 5,
                                                 -1,
                                                 -1,
                                                 -2,
                                                 -3,
                                                 7,
                                                 16,
                                                 INT64_MIN,
                                                 INT64_MAX,
                                                 std::int64_t{1} << 40,
                                                 -(std::int64_t{1} << 40)};
    return kInts[below(kInts.size())];
  }
  float real() {
    constexpr std::array<float, 9> kReals{0, 1, -1, 0.5F, 2, 1e30F, -1e30F, INFINITY, NAN};
    return kReals[below(kReals.size())];
  }
  Dims dims() {
    Dims d;
    for (std::size_t i = below(5); i > 0; --i) d.push_back(static_cast<std::int64_t>(below(5)));
    if (below(3) != 0)
      for (auto& x : d) x = std::max<std::int64_t>(x, 1);
    return d;
  }
  std::vector<std::int64_t> list() {
    std::vector<std::int64_t> out(below(6));
    for (auto& x : out) x = below(2) == 0 ? integer() : static_cast<std::int64_t>(below(4));
    return out;
  }

  Tensor tensor() {
    switch (below(8)) {
      case 0:
      case 1:
        return ints(list());
      case 2:
        return Tensor::scalar(integer());
      case 3: {
        constexpr std::array<DType, 9> kTypes{DType::i8,  DType::u8,  DType::i32,     DType::i64, DType::f16,
                                              DType::f64, DType::u16, DType::boolean, DType::i4};
        return Tensor(kTypes[below(kTypes.size())], dims());
      }
      case 4: {
        Tensor t(DType::f32, {static_cast<std::int64_t>(below(5))});
        for (float& x : t.data<float>()) x = real();
        return t;
      }
      default: {
        Tensor t(DType::f32, dims());
        for (float& x : t.data<float>()) x = real();
        return t;
      }
    }
  }

  Attribute attribute() {
    const std::array<std::string, 12> texts{"",           "reflect",    "wrap",  "edge",
                                            "linear",     "cubic",      "tanh",  "ceil",
                                            "asymmetric", "SAME_UPPER", "VALID", "tf_crop_and_resize"};
    switch (below(8)) {
      case 0:
        return real();
      case 1:
        return texts[below(texts.size())];
      case 2:
      case 3:
        return list();
      case 4:
        return tensor();
      default:
        return integer();
    }
  }

  Attributes attributes() {
    constexpr std::array<const char*, 34> kNames{"axis",
                                                 "axes",
                                                 "perm",
                                                 "keepdims",
                                                 "noop_with_empty_axes",
                                                 "to",
                                                 "mode",
                                                 "alpha",
                                                 "beta",
                                                 "start",
                                                 "end",
                                                 "allowzero",
                                                 "num_outputs",
                                                 "value",
                                                 "value_int",
                                                 "value_ints",
                                                 "block_size",
                                                 "output_dtype",
                                                 "fmod",
                                                 "antialias",
                                                 "coordinate_transformation_mode",
                                                 "nearest_mode",
                                                 "exclude_outside",
                                                 "group",
                                                 "dilations",
                                                 "strides",
                                                 "pads",
                                                 "kernel_shape",
                                                 "auto_pad",
                                                 "ceil_mode",
                                                 "transA",
                                                 "transB",
                                                 "output_shape",
                                                 "approximate"};
    Attributes out;
    for (std::size_t i = below(4); i > 0; --i) out[kNames[below(kNames.size())]] = attribute();
    return out;
  }

  OpCase node(const OpDef& op) {
    OpCase node(std::string(op.name), attributes());
    const auto most = static_cast<std::size_t>(op.max_inputs < 0 ? op.min_inputs + 2 : op.max_inputs);
    const auto least = static_cast<std::size_t>(op.min_inputs);
    const std::size_t count = least + below(most - least + 1);
    Tensor last = tensor();
    for (std::size_t i = 0; i < count; ++i) {
      if (below(3) != 0) last = tensor();
      if (i >= least && below(4) == 0)
        node.absent();
      else if (below(2) == 0)
        node.input(last);
      else
        node.constant(last);
    }
    return node.outputs(1 + below(op.max_outputs < 0 ? 3 : static_cast<std::size_t>(op.max_outputs)));
  }

 private:
  std::minstd_rand generator_;
};

// Facets that are asked before evaluation.
void ask_facets(const OpDef& op, const OpCase& node) {
  (void)node.infer();
  const NodeView view(node.graph(), node.node());
  if (op.macs != nullptr) (void)op.macs(view);
  if (op.clamp != nullptr) (void)op.clamp(view);
  if (op.quant_rule != nullptr) (void)op.quant_rule(view);
  if (op.scalar != nullptr) (void)op.scalar(view);
}

}  // namespace

TEST_CASE("hostile nodes give an Error or a result of the promised shape", "[ops]") {
  constexpr int kRounds = 300;  // per operator; about a second in all
  int worked = 0;
  for (const OpDef* op : all_ops()) {
    for (int round = 0; round < kRounds; ++round) {
      const auto seed = static_cast<std::uint_fast32_t>(round + 1);
      INFO(op->name << ", seed " << seed);
      const OpCase node = Hostile(seed).node(*op);
      try {
        ask_facets(*op, node);
        if (op->evaluate == nullptr) continue;
        (void)node.run();
        ++worked;
      } catch (const Error& error) {
        INFO(error.what());
        REQUIRE(error.kind() == ExitCode::invalid_input);
      }
    }
  }
  CHECK(worked > 1000);  // the generator must not be all noise
}
