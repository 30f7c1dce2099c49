// The multiplier of a channel is input scale * weight scale / output scale; the activations' scales are given, so that
// it is the weight scale that moves. Among the scales that a channel may have some round its weights better than the
// one that maps the largest to 127: choosing among them gains more than the coarser grid loses (1 dB of the MLPerf Tiny
// models' outputs on average, benchmarks/RESULTS.md).
#include "passes/quantize/short_scales.h"

#include <algorithm>
#include <cmath>

#include "lib/quant/channel_runs.h"
#include "lib/quant/short_multiplier.h"

namespace tinyml {
namespace {

const QuantParams* output_params(const Graph& graph, const QuantPlan::NodePlan& entry) {
  const auto& quant = graph.value(entry.results.at(0)).quant;
  return quant ? &*quant : nullptr;
}

std::vector<double> weight_sums(const Tensor& real, const QuantParams& params) {
  const auto w = real.data<float>();
  std::vector<double> sums(params.scales.size(), 0.0);
  ChannelRuns(real, params.axis).each([&](std::size_t channel, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) sums[channel] += static_cast<double>(w[i]);
  });
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
      : weights_(real.data<float>()), most_(int_range(params.type).max), runs_(real, params.axis) {}

  double operator()(std::size_t channel, float scale) const {
    const auto most = static_cast<float>(most_);
    double squares = 0, sum = 0;
    runs_.each_of(channel, [&](std::size_t begin, std::size_t end) {
      for (const float w : weights_.subspan(begin, end - begin)) {
        const float rounded = std::clamp(std::nearbyint(w / scale), -most, most) * scale;
        const double error = static_cast<double>(w) - static_cast<double>(rounded);
        squares += error * error;
        sum += error;
      }
    });
    return squares + sum * sum;
  }

 private:
  std::span<const float> weights_;
  int most_;
  ChannelRuns runs_;
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
