// Channels are independent but for a scale that they share (per-tensor weights): that one is searched for all together.
#include "passes/quantize/adaround.h"

#include <algorithm>
#include <cmath>

#include "lib/quant/codebook.h"
#include "lib/quant/params.h"
#include "passes/quantize/codebook.h"

namespace tinyml {
namespace {

// Pull towards the real weights, as a share of the moments' mean diagonal: of 0.0003 to 0.3 the one with the best
// held-out signal-to-noise ratios of ic01, kws01, vww01 and ad01 at 4 bits (ad01: 64 samples for 640 inputs).
constexpr double kDamping = 0.1;

class LayerRounder {
 public:
  LayerRounder(const LayerMoments& moments, const WeightRows& rows, const Tensor& weights, const WeightForm& form,
               int axis, ThreadPool& threads)
      : moments_(moments),
        rows_(rows),
        form_(form),
        threads_(threads),
        params_(weight_params(weights, axis, form.bits == 4 ? DType::i4 : DType::i8)),
        levels_(form.bits == 4 ? Levels(-8, 7) : Levels(-kLargestEntry, kLargestEntry)),
        real_(rows.outputs * rows.inputs) {
    const auto w = weights.data<float>();
    for (std::size_t c = 0; c < rows.outputs; ++c)
      for (std::size_t i = 0; i < rows.inputs; ++i)
        real_[c * rows.inputs + i] = static_cast<double>(w[rows.index(c, i)]);
    const std::size_t per_group = rows.outputs / rows.groups * rows.inputs;
    for (std::size_t g = 0; g < rows.groups; ++g) {
      LeastSquares problem = moments.groups[g];
      const auto first = real_.begin() + static_cast<std::ptrdiff_t>(g * per_group);
      problem.damp({first, first + static_cast<std::ptrdiff_t>(per_group)}, kDamping);
      rounders_.emplace_back(std::move(problem));
    }
  }

  RoundedLayer run(const Tensor& weights, const std::function<double(std::size_t)>& least_scale) {
    channels_.resize(rows_.outputs);
    std::vector<int> table;
    if (form_.codebook) levels_ = Levels(table = first_codebook(codebook_layer()));
    if (params_.per_channel())
      round_channels(least_scale);
    else
      round_together(least_scale);
    if (form_.codebook) improve_codebook(table, least_scale);
    return result(weights);
  }

 private:
  CodebookLayer codebook_layer() const { return {rows_, real_, rounders_, params_}; }
  const ChannelRounder& rounder(std::size_t c) const { return rounders_[c / outputs_per_group()]; }
  std::size_t outputs_per_group() const { return rows_.outputs / rows_.groups; }

  void each_channel(const std::function<void(std::size_t)>& body) {
    threads_.parallel_for(rows_.outputs, 1, [&](std::size_t from, std::size_t to) {
      for (std::size_t c = from; c < to; ++c) body(c);
    });
  }

  void round_channels(const std::function<double(std::size_t)>& least_scale) {
    each_channel([&](std::size_t c) {
      const std::size_t own = c % outputs_per_group();
      const double start = static_cast<double>(params_.scales[c]), least = least_scale(c);
      channels_[c] = rounder(c).round_and_scale(own, start, levels_);
      if (channels_[c].scale < least) channels_[c] = rounder(c).round(own, least, levels_);
      params_.scales[c] = static_cast<float>(channels_[c].scale);
    });
  }

  // Entries and choices in turns, while that helps.
  void improve_codebook(std::vector<int> table, const std::function<double(std::size_t)>& least_scale) {
    constexpr int kTurns = 4;
    for (int turn = 0; turn < kTurns; ++turn) {
      table = fitted_codebook(codebook_layer(), channels_, table);
      const auto before = channels_;
      const Levels levels_before = levels_;
      const double error_before = error();
      levels_ = Levels(table);
      each_channel([&](std::size_t c) {
        RoundedChannel& channel = channels_[c];
        channel = rounder(c).round(c % outputs_per_group(), channel.scale, levels_);
        if (params_.per_channel()) rounder(c).refine(c % outputs_per_group(), channel, levels_, least_scale(c));
      });
      if (error() < error_before) continue;
      channels_ = before;
      levels_ = levels_before;
      break;
    }
    for (std::size_t c = 0; c < params_.scales.size(); ++c) params_.scales[c] = static_cast<float>(channels_[c].scale);
  }

  double error() const {
    double sum = 0;
    for (const RoundedChannel& channel : channels_) sum += channel.error;
    return sum;
  }

  void round_together(const std::function<double(std::size_t)>& least_scale) {
    constexpr int kCandidates = 12;
    const double widest = static_cast<double>(params_.scales[0]);
    double least = 0, best = -1;
    for (std::size_t c = 0; c < rows_.outputs; ++c) least = std::max(least, least_scale(c));
    std::vector<RoundedChannel> kept;
    for (int i = 0; i < kCandidates; ++i) {
      const double scale = std::max(least, widest * (1.0 - 0.05 * i));
      each_channel([&](std::size_t c) { channels_[c] = rounder(c).round(c % outputs_per_group(), scale, levels_); });
      if (best >= 0 && error() >= best) continue;
      best = error();
      kept = channels_;
    }
    channels_ = std::move(kept);
    params_.scales[0] = static_cast<float>(channels_[0].scale);
  }

  RoundedLayer result(const Tensor& weights) const {
    RoundedLayer layer{Tensor(params_.type, weights.dims()), params_, {}, 0};
    auto q = layer.integers.data<std::int8_t>();
    double power = 0;
    for (std::size_t c = 0; c < rows_.outputs; ++c) {
      const RoundedChannel& channel = channels_[c];
      for (std::size_t i = 0; i < rows_.inputs; ++i)
        q[rows_.index(c, i)] = static_cast<std::int8_t>(channel.integers[i]);
      layer.error += channel.error;
      power += rounder(c).problem().powers[c % outputs_per_group()];
    }
    layer.error /= std::max(power, 1e-300);
    if (moments_.centred) layer.bias = biases();
    return layer;
  }

  // Means that come out as they should.
  std::vector<float> biases() const {
    std::vector<float> bias(rows_.outputs);
    for (std::size_t c = 0; c < rows_.outputs; ++c) {
      const double* means = &moments_.input_means[c / outputs_per_group() * rows_.inputs];
      double mean = moments_.output_means[c];
      for (std::size_t i = 0; i < rows_.inputs; ++i) mean -= channels_[c].scale * channels_[c].integers[i] * means[i];
      bias[c] = static_cast<float>(mean);
    }
    return bias;
  }

  const LayerMoments& moments_;
  const WeightRows& rows_;
  WeightForm form_;
  ThreadPool& threads_;
  QuantParams params_;
  Levels levels_;
  std::vector<double> real_;
  std::vector<ChannelRounder> rounders_;  // by group
  std::vector<RoundedChannel> channels_;
};

}  // namespace

RoundedLayer adaround(const LayerMoments& moments, const WeightRows& rows, const Tensor& weights,
                      const WeightForm& form, int axis, const std::function<double(std::size_t)>& least_scale,
                      ThreadPool& threads) {
  return LayerRounder(moments, rows, weights, form, axis, threads).run(weights, least_scale);
}

}  // namespace tinyml
