// How the samples of a file become the samples that the model takes: as they are, or with the channels moved.
#pragma once

#include <string>

#include "lib/data/dataset.h"

namespace tinyml {

enum class ChannelMove : std::uint8_t { none, last_to_first, first_to_last };
enum class ChannelPlace : std::uint8_t { unknown, first, last };

struct LayoutPlan {
  ChannelMove move = ChannelMove::none;
  ChannelPlace channels = ChannelPlace::unknown;  // in the model's sample
  Dims data, model;                               // one sample, before and after
  std::string note;                               // what was decided, for the log; empty when nothing was
};

struct SampleShape {
  Dims dims;
  bool flat = false;   // a row of numbers that fits any shape of its size
  bool image = false;  // channels are last for certain
};

// `model`: the input's shape without the batch dimension. Throws Error when the shapes do not fit, or fit in two ways.
LayoutPlan plan_layout(const SampleShape& data, const Shape& model, DataLayout layout);

}  // namespace tinyml
