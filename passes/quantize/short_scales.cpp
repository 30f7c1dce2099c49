// The multiplier of a channel is input scale * weight scale / output scale; the activations' scales are given, so that
// it is the weight scale that moves. Among the scales that a channel may have some round its weights better than the
// one that maps the largest to 127: choosing among them gains more than the coarser grid loses (1 dB of the MLPerf Tiny
// models' outputs on average, benchmarks/RESULTS.md).
#include "passes/quantize/short_scales.h"

#include <algorithm>
#include <cmath>

#include "lib/quant/short_multiplier.h"

namespace tinyml {
namespace {

// Where the node's result is first quantized: behind the clamp that its kernel swallows.
const QuantParams* output_params(const Graph& graph, const QuantPlan::NodePlan& entry) {
  ValueId out = graph.node(entry.node).outputs[0];
  if (const auto clamp = fused_clamp(graph, entry.node, entry.rule); clamp && !graph.value(out).quant)
    out = graph.node(*clamp).outputs[0];
  const auto& quant = graph.value(out).quant;
  return quant ? &*quant : nullptr;
}

std::vector<double> weight_sums(const Tensor& real, const QuantParams& params) {
  const auto w = real.data<float>();
  std::vector<double> sums(params.scales.size(), 0.0);
  std::size_t inner = 1;
  for (std::size_t i = static_cast<std::size_t>(params.axis) + 1; i < real.rank(); ++i)
    inner *= static_cast<std::size_t>(real.dims()[i]);
  for (std::size_t i = 0; i < w.size(); ++i) sums[i / inner % sums.size()] += static_cast<double>(w[i]);
  return sums;
}

// Bias less the input's zero point times the weights, in output steps.
std::vector<double> folded_offsets(const Tensor& real, const std::vector<float>& bias, const QuantParams& params,
                                   double in_step, int in_zero) {
  std::vector<double> offsets = weight_sums(real, params);
  for (double& offset : offsets) offset *= -in_step * in_zero;
  if (offsets.size() == bias.size())
    for (std::size_t c = 0; c < bias.size(); ++c) offsets[c] += static_cast<double>(bias[c]);
  return offsets;
}

// The error that rounding a channel's weights causes in its outputs, for inputs whose mean is as large as their
// deviation, as behind a ReLU: sum e^2 + (sum e)^2 over the errors e of the weights.
class RoundingError {
 public:
  RoundingError(const Tensor& real, const QuantParams& params)
      : weights_(real.data<float>()), most_(int_range(params.type).max), channels_(params.scales.size()) {
    for (std::size_t i = static_cast<std::size_t>(params.axis) + 1; i < real.rank(); ++i)
      inner_ *= static_cast<std::size_t>(real.dims()[i]);
  }

  double operator()(std::size_t channel, float scale) const {
    const auto most = static_cast<float>(most_);
    double squares = 0, sum = 0;
    for (std::size_t run = channel * inner_; run < weights_.size(); run += channels_ * inner_)
      for (const float w : weights_.subspan(run, inner_)) {
        const float rounded = std::clamp(std::nearbyint(w / scale), -most, most) * scale;
        const double error = static_cast<double>(w) - static_cast<double>(rounded);
        squares += error * error;
        sum += error;
      }
    return squares + sum * sum;
  }

 private:
  std::span<const float> weights_;
  int most_;
  std::size_t channels_, inner_ = 1;
};

}  // namespace

void shorten_scales(const Graph& graph, const QuantPlan::NodePlan& entry, const Tensor& real,
                    const std::vector<float>& bias, QuantParams& params) {
  const QuantParams* out = output_params(graph, entry);
  const QuantParams& in = *graph.value(graph.node(entry.node).inputs[0]).quant;
  if (out == nullptr || out->scales.size() != 1 || in.scales.size() != 1) return;
  if (!params.per_channel() || real.size() == 0) return;
  if (in.type == DType::i16 || out->type == DType::i16) return;  // whose kernels have no use for codes
  const double in_scale = static_cast<double>(in.scales[0]), out_scale = static_cast<double>(out->scales[0]);
  const int in_zero = in.zero_points[0] - (in.type == DType::u8 ? 128 : 0);  // as the device has it
  std::vector<double> offsets = folded_offsets(real, bias, params, in_scale, in_zero), factors;
  for (double& offset : offsets) offset /= out_scale;
  for (const float scale : params.scales) factors.push_back(in_scale * static_cast<double>(scale) / out_scale);
  ShortNeeds needs;
  needs.taps = static_cast<std::size_t>(real.size()) / params.scales.size();
  needs.offsets = offsets;
  needs.bias_margin = std::abs(in_zero) / 2.0 * static_cast<double>(needs.taps) + 1;
  const auto scale_of = [&](double factor) { return static_cast<float>(factor * out_scale / in_scale); };
  const RoundingError error(real, params);
  needs.error = [&](std::size_t channel, double factor) { return error(channel, scale_of(factor)); };
  if (!choose_short_factors(factors, needs)) return;
  for (std::size_t c = 0; c < factors.size(); ++c) params.scales[c] = scale_of(factors[c]);
}

}  // namespace tinyml
