// Zero of the preprocessed values must be exact, since padding writes it; so the raw grid can be kept as it is only
// where mean / scale is an integer. Elsewhere one value in 256 moves by half a step.
#include "passes/quantize/bake_preprocessing.h"

#include <algorithm>
#include <cmath>

#include "lib/support/error.h"

namespace tinyml {
namespace {

bool is_uniform(const Preprocessing& p) {
  const auto same = [](const std::vector<float>& v) {
    return std::adjacent_find(v.begin(), v.end(), std::not_equal_to<>()) == v.end();
  };
  return same(p.mean) && same(p.std);
}

double at(const std::vector<float>& list, std::size_t i, double fallback) {
  return list.empty() ? fallback : static_cast<double>(list[list.size() == 1 ? 0 : i]);
}
double factor(const Preprocessing& p, std::size_t c) { return static_cast<double>(p.scale) / at(p.std, c, 1.0); }
double offset(const Preprocessing& p, std::size_t c) { return -at(p.mean, c, 0.0) / at(p.std, c, 1.0); }

Tensor per_channel(const Preprocessing& p, std::size_t channels, double (*f)(const Preprocessing&, std::size_t)) {
  std::vector<float> values;
  for (std::size_t c = 0; c < channels; ++c) values.push_back(static_cast<float>(f(p, c)));
  return Tensor::from<float>({static_cast<std::int64_t>(channels)}, values);
}

class Baker {
 public:
  Baker(Graph& graph, const Preprocessing& preprocessing) : graph_(graph), p_(preprocessing) {}

  BakedInput run() {
    if (graph_.inputs().size() != 1)
      throw Error(
          "--bake-preprocessing needs a model with one input, this has " + std::to_string(graph_.inputs().size()),
          "preprocess the data yourself");
    baked_.raw = graph_.inputs()[0];
    baked_.preprocessing = p_;
    const Value& input = graph_.value(baked_.raw);
    if (input.type.dtype != DType::f32 || !input.type.shape || input.consumers.empty())
      throw Error("--bake-preprocessing needs a float32 input of known rank").at_tensor(input.name);
    users_ = input.consumers;
    if (is_uniform(p_))
      insert_uniform();
    else
      insert_per_channel(*input.type.shape);
    redirect();
    graph_.sort();
    return baked_;
  }

 private:
  ValueId node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const ValueId out = graph_.add_value("preprocess_" + op + "_out");
    graph_.add_node({"preprocess_" + op, op, std::move(attributes), std::move(inputs), {out}, {"preprocess"}});
    return out;
  }
  ValueId constant(const std::string& what, Tensor tensor) {
    return graph_.add_constant("preprocess_" + what, std::move(tensor));
  }

  void insert_uniform() {
    const auto a = static_cast<float>(factor(p_, 0)), b = static_cast<float>(offset(p_, 0));
    baked_.preprocessed = node("Mul", {baked_.raw, constant("factor", Tensor::scalar(a))});
    if (b == 0) return;
    baked_.between = baked_.preprocessed;
    baked_.preprocessed = node("Add", {baked_.between, constant("offset", Tensor::scalar(b))});
  }

  void insert_per_channel(const Shape& shape) {
    const std::size_t channels = std::max(p_.mean.size(), p_.std.size());
    const auto fits = [&](std::size_t axis) {
      return axis < shape.size() && shape[axis].value == static_cast<std::int64_t>(channels);
    };
    const bool first = shape.size() >= 2 && fits(1), last = shape.size() > 2 && fits(shape.size() - 1);
    if (!first && !last)
      throw Error("--mean and --std hold " + std::to_string(channels) + " values, but the input is " + to_string(shape),
                  "give one value, or one per channel")
          .at_tensor(graph_.value(baked_.raw).name);
    std::vector<std::int64_t> to(shape.size()), back(shape.size());
    for (std::size_t i = 0; i < shape.size(); ++i) {
      to[i] = static_cast<std::int64_t>(i < 1 ? 0 : i == 1 ? shape.size() - 1 : i - 1);
      back[static_cast<std::size_t>(to[i])] = static_cast<std::int64_t>(i);
    }
    ValueId x = baked_.raw;
    if (!first) x = node("Transpose", {x}, {{"perm", to}});
    const auto zeros = [&] { return Tensor(DType::f32, {static_cast<std::int64_t>(channels)}); };
    const std::vector<float> ones(channels, 1.0F);
    baked_.preprocessed = x =
        node("BatchNormalization",
             {x, constant("factor", per_channel(p_, channels, factor)),
              constant("offset", per_channel(p_, channels, offset)), constant("mean", zeros()),
              constant("variance", Tensor::from<float>({static_cast<std::int64_t>(channels)}, ones))},
             {{"epsilon", 0.0F}});
    if (!first) baked_.preprocessed = node("Transpose", {x}, {{"perm", back}});
  }

  void redirect() {
    for (const NodeId user : users_) {
      const std::vector<ValueId> inputs = graph_.node(user).inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i] == baked_.raw) graph_.set_input(user, i, baked_.preprocessed);
    }
  }

  Graph& graph_;
  const Preprocessing& p_;
  BakedInput baked_;
  std::vector<NodeId> users_;
};

}  // namespace

BakedInput bake_preprocessing(Graph& graph, const Preprocessing& preprocessing) {
  BakedInput baked = Baker(graph, preprocessing).run();
  graph.forget_types();
  return baked;
}

QuantParams raw_params(float min, float max) {
  QuantParams p;
  p.scales = {1.0F};
  if (min >= 0 && max <= 255)
    p.zero_points = {-128};
  else if (min >= -128 && max <= 127)
    p.zero_points = {0};
  else
    throw Error("the raw data reach from " + std::to_string(min) + " to " + std::to_string(max) +
                    ", which is neither uint8 nor int8",
                "--bake-preprocessing is for integer sensor values; leave it out");
  return p;
}

std::optional<QuantParams> preprocessed_params(const Preprocessing& preprocessing, const QuantParams& raw) {
  if (!is_uniform(preprocessing)) return std::nullopt;
  const double a = factor(preprocessing, 0), b = offset(preprocessing, 0);
  const double first = a * (-128.0 - raw.zero_points[0]) + b, last = a * (127.0 - raw.zero_points[0]) + b;
  const double low = std::min({first, last, 0.0}), high = std::max({first, last, 0.0});
  const double zero = std::clamp(std::nearbyint(-128 - low * 255 / (high - low)), -128.0, 127.0);
  double scale = 0;
  if (low < 0) scale = std::max(scale, low / (-128 - zero));
  if (high > 0) scale = std::max(scale, high / (127 - zero));
  QuantParams p;
  p.scales = {static_cast<float>(scale)};
  p.zero_points = {static_cast<std::int32_t>(zero)};
  return p;
}

}  // namespace tinyml
