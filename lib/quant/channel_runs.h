// A tensor as [outer][channels][inner] around one axis, for parameters that differ along that axis.
#pragma once

#include <cstddef>

#include "lib/ir/tensor.h"

namespace tinyml {

struct ChannelRuns {
  std::size_t outer = 1, channels = 1, inner = 1;

  // Axis -1: all is one channel.
  ChannelRuns(const Tensor& t, int axis) {
    for (std::size_t i = 0; i < t.rank(); ++i) {
      const auto d = static_cast<std::size_t>(t.dims()[i]);
      (static_cast<int>(i) < axis ? outer : static_cast<int>(i) == axis ? channels : inner) *= d;
    }
  }

  // Calls body(begin, end) for each contiguous run of elements of `channel`.
  template <class Body>
  void each_of(std::size_t channel, Body body) const {
    for (std::size_t o = 0; o < outer; ++o) {
      const std::size_t begin = (o * channels + channel) * inner;
      body(begin, begin + inner);
    }
  }

  // Calls body(channel, begin, end) for each contiguous run of elements of one channel, in the tensor's order.
  template <class Body>
  void each(Body body) const {
    for (std::size_t o = 0; o < outer; ++o)
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t begin = (o * channels + c) * inner;
        body(c, begin, begin + inner);
      }
  }
};

}  // namespace tinyml
