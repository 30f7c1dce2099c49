// s16_reference.h: the kernels with 16-bit activations as tinyml_runtime_s16.h defines them: one loop per index, sums
// and products in 128 bits. Nothing here is taken from the kernels.
#pragma once

#include <algorithm>

#include "lib/runtime/tinyml_runtime_s16.h"
#include "tests/unit/runtime/reference.h"

namespace tinyml::test {

__extension__ using Wide = __int128;
using Halfwords = std::vector<std::int16_t>;

inline Halfwords random_halfwords(Random& random, std::size_t count) {
  Halfwords data(count);
  const bool extreme = random.chance(15);
  for (auto& v : data)
    v = static_cast<std::int16_t>(extreme ? random.pick({-32768, 32767}) : random.between(-32768, 32767));
  return data;
}

inline Halfwords read_halfwords(Arena& arena, std::uint32_t offset, std::size_t count) {
  const Bytes bytes = arena.read(offset, 2 * count);
  Halfwords data(count);
  std::memcpy(data.data(), bytes.data(), bytes.size());
  return data;
}

inline std::uint32_t add_halfwords(Arena& arena, const Halfwords& data) {
  return arena.add(data.data(), 2 * data.size());
}

struct Clamp16 {
  std::int16_t low = -32768, high = 32767;
};
inline Clamp16 random_clamp16(Random& random) {
  if (random.chance(40)) return {};
  if (random.chance(40)) return {0, 32767};
  const auto low = static_cast<std::int16_t>(random.between(-32768, 32767));
  return {low, static_cast<std::int16_t>(random.between(low, 32767))};
}

// clamp(floor(value / 2^bits + 1/2))
inline std::int16_t rounded16(Wide value, int bits, const Clamp16& clamp) {
  const Wide half = Wide{1} << (bits - 1), one = Wide{1} << bits, sum = value + half;
  Wide quotient = sum / one;
  if (sum % one < 0) --quotient;
  return static_cast<std::int16_t>(std::clamp<Wide>(quotient, clamp.low, clamp.high));
}

inline std::int16_t requantize16(Wide acc, std::int64_t multiplier, int shift, const Clamp16& clamp) {
  return rounded16(acc * multiplier, 32 - shift, clamp);
}

struct ConvCase16 {
  tml_conv2d_s16_params p{};
  Clamp16 clamp;
  Halfwords x;
  Bytes weights;
  std::vector<std::int32_t> bias, multipliers;

  void link() {
    p.weights = weights.data();
    p.bias = bias.data();
    p.multipliers = multipliers.data();
    p.clamp_min = clamp.low;
    p.clamp_max = clamp.high;
  }
  std::size_t out_size() const { return static_cast<std::size_t>(p.batches) * p.out_h * p.out_w * p.out_c; }
  std::size_t taps() const { return static_cast<std::size_t>(p.kernel_h * p.kernel_w) * (p.in_c / p.groups); }
};

// depthwise: weights [kernel_h][kernel_w][out_c], else [out_c][kernel_h][kernel_w][in_c / groups].
inline Halfwords conv_reference16(const ConvCase16& k, bool depthwise) {
  const auto& p = k.p;
  const int depth = p.in_c / p.groups, per_group = p.out_c / p.groups;
  Halfwords y;
  for (int b = 0; b < p.batches; ++b)
    for (int oy = 0; oy < p.out_h; ++oy)
      for (int ox = 0; ox < p.out_w; ++ox)
        for (int c = 0; c < p.out_c; ++c) {
          Wide acc = k.bias[static_cast<std::size_t>(c)];
          for (int ky = 0; ky < p.kernel_h; ++ky)
            for (int kx = 0; kx < p.kernel_w; ++kx)
              for (int ic = 0; ic < depth; ++ic) {
                const int iy = oy * p.stride_h - p.pad_top + ky * p.dilation_h;
                const int ix = ox * p.stride_w - p.pad_left + kx * p.dilation_w;
                if (iy < 0 || iy >= p.in_h || ix < 0 || ix >= p.in_w) continue;
                const int channel = c / per_group * depth + ic;
                const int at = depthwise ? (ky * p.kernel_w + kx) * p.out_c + c
                                         : ((c * p.kernel_h + ky) * p.kernel_w + kx) * depth + ic;
                acc += Wide{k.x[static_cast<std::size_t>(((b * p.in_h + iy) * p.in_w + ix) * p.in_c + channel)]} *
                       k.weights[static_cast<std::size_t>(at)];
              }
          y.push_back(
              requantize16(acc, k.multipliers[p.multiplier_step ? static_cast<std::size_t>(c) : 0], p.shift, k.clamp));
        }
  return y;
}

}  // namespace tinyml::test
