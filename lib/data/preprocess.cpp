// The number of values tells which axis they belong to where the layout does not.
#include "lib/data/preprocess.h"

#include <algorithm>
#include <cmath>

#include "lib/support/error.h"

namespace tinyml {
namespace {

void check_values(const Preprocessing& p) {
  const auto finite = [](float v) { return std::isfinite(v); };
  if (!finite(p.scale) || !std::all_of(p.mean.begin(), p.mean.end(), finite))
    throw Error("--scale and --mean must be finite numbers", {}, ExitCode::usage);
  if (!std::all_of(p.std.begin(), p.std.end(), [&](float v) { return finite(v) && v != 0; }))
    throw Error("--std must be finite numbers other than 0", {}, ExitCode::usage);
  if (p.mean.size() > 1 && p.std.size() > 1 && p.mean.size() != p.std.size())
    throw Error("--mean has " + std::to_string(p.mean.size()) + " values, --std has " + std::to_string(p.std.size()),
                "give one for each channel, or one for all", ExitCode::usage);
}

// Whether `count` values belong to the first axis (true) or the last.
bool is_first_axis(std::size_t count, const Dims& sample, ChannelPlace place) {
  const auto n = static_cast<std::int64_t>(count);
  const bool first = !sample.empty() && sample.front() == n && place != ChannelPlace::last;
  const bool last = !sample.empty() && sample.back() == n && place != ChannelPlace::first;
  if (first && last && sample.size() > 1)
    throw Error(
        std::to_string(n) + " values of --mean or --std fit the first and the last axis of " + to_string(sample),
        "say where the data have their channels: --layout nhwc or --layout nchw", ExitCode::usage);
  if (!first && !last)
    throw Error("--mean or --std has " + std::to_string(n) + " values, but samples have the shape " + to_string(sample),
                "give one for each channel, or one for all", ExitCode::usage);
  return first;
}

}  // namespace

ChannelScaling::ChannelScaling(const Preprocessing& preprocessing, const Dims& sample, ChannelPlace place)
    : scale_(preprocessing.scale),
      mean_(preprocessing.mean),
      std_(preprocessing.std),
      identity_(preprocessing.identity()) {
  check_values(preprocessing);
  if (mean_.empty()) mean_ = {0.0F};
  if (std_.empty()) std_ = {1.0F};
  const std::size_t channels = std::max(mean_.size(), std_.size());
  if (channels > 1) channels_first_ = is_first_axis(channels, sample, place);
  if (mean_.size() < channels) mean_.assign(channels, mean_[0]);
  if (std_.size() < channels) std_.assign(channels, std_[0]);
}

void ChannelScaling::apply(std::span<float> sample) const {
  if (identity_ || sample.empty()) return;
  const std::size_t channels = mean_.size();
  const std::size_t run = std::max<std::size_t>(1, sample.size() / channels);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const std::size_t c = channels_first_ ? i / run : i % channels;
    sample[i] = (sample[i] * scale_ - mean_[c]) / std_[c];
  }
}

}  // namespace tinyml
