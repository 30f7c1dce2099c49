// (x * scale - mean) / std, per channel, once it is known where the channels are.
#pragma once

#include <span>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/data/layout.h"

namespace tinyml {

class ChannelScaling {
 public:
  ChannelScaling() = default;
  // Throws Error when the number of means or deviations fits no channel axis, or fits two.
  ChannelScaling(const Preprocessing& preprocessing, const Dims& sample, ChannelPlace place);
  bool identity() const { return identity_; }
  void apply(std::span<float> sample) const;  // one sample in the model's layout

 private:
  float scale_ = 1.0F;
  std::vector<float> mean_, std_;
  bool channels_first_ = true;
  bool identity_ = true;
};

}  // namespace tinyml
