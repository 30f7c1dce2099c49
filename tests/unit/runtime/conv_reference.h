// conv_reference.h: convolution, depthwise and transposed convolution as the header defines them: one loop per index,
// 64-bit sums, padding by asking whether a position is inside. Used by the convolution tests.
#pragma once

#include "tests/unit/runtime/reference.h"

namespace tinyml::test {

// Everything a convolution record points to.
struct ConvCase {
  tml_conv2d_params p{};
  Output out;
  Bytes x, weights;
  std::vector<std::int32_t> bias, multipliers;

  void link() {
    p.weights = weights.data();
    p.bias = bias.data();
    p.multipliers = multipliers.data();
    set_output(p, out);
  }
  std::size_t out_size() const { return static_cast<std::size_t>(p.batches) * p.out_h * p.out_w * p.out_c; }
  // x, or nothing when the position lies outside.
  bool input(int b, int y, int w, int c, std::int64_t& value) const {
    if (y < 0 || y >= p.in_h || w < 0 || w >= p.in_w) return false;
    value = x[((static_cast<std::size_t>(b) * p.in_h + static_cast<std::size_t>(y)) * p.in_w +
               static_cast<std::size_t>(w)) *
                  p.in_c +
              static_cast<std::size_t>(c)];
    return true;
  }
  std::int8_t finish(std::int64_t acc, int c) const {
    return requantize(acc + bias[static_cast<std::size_t>(c)],
                      multipliers[p.multiplier_step ? static_cast<std::size_t>(c) : 0], out);
  }
};

template <typename PixelSum>
Bytes each_output(const ConvCase& k, PixelSum sum) {
  Bytes y;
  for (int b = 0; b < k.p.batches; ++b)
    for (int oy = 0; oy < k.p.out_h; ++oy)
      for (int ox = 0; ox < k.p.out_w; ++ox)
        for (int c = 0; c < k.p.out_c; ++c) y.push_back(k.finish(sum(b, oy, ox, c), c));
  return y;
}

inline std::int64_t weight(const ConvCase& k, int c, int ky, int kx, int ic) {
  const int depth = k.p.in_c / k.p.groups;
  return k.weights[static_cast<std::size_t>(((c * k.p.kernel_h + ky) * k.p.kernel_w + kx) * depth + ic)];
}

inline Bytes conv2d_reference(const ConvCase& k) {
  const int depth = k.p.in_c / k.p.groups, per_group = k.p.out_c / k.p.groups;
  return each_output(k, [&](int b, int oy, int ox, int c) {
    std::int64_t acc = 0;
    for (int ky = 0; ky < k.p.kernel_h; ++ky)
      for (int kx = 0; kx < k.p.kernel_w; ++kx)
        for (int ic = 0; ic < depth; ++ic) {
          std::int64_t v = k.p.in_zero;
          k.input(b, oy * k.p.stride_h - k.p.pad_top + ky * k.p.dilation_h,
                  ox * k.p.stride_w - k.p.pad_left + kx * k.p.dilation_w, c / per_group * depth + ic, v);
          acc += v * weight(k, c, ky, kx, ic);
        }
    return acc;
  });
}

inline Bytes depthwise_reference(const ConvCase& k) {
  return each_output(k, [&](int b, int oy, int ox, int c) {
    std::int64_t acc = 0;
    for (int ky = 0; ky < k.p.kernel_h; ++ky)
      for (int kx = 0; kx < k.p.kernel_w; ++kx) {
        std::int64_t v = k.p.in_zero;
        k.input(b, oy * k.p.stride_h - k.p.pad_top + ky * k.p.dilation_h,
                ox * k.p.stride_w - k.p.pad_left + kx * k.p.dilation_w, c / (k.p.out_c / k.p.in_c), v);
        acc += v * k.weights[static_cast<std::size_t>((ky * k.p.kernel_w + kx) * k.p.out_c + c)];
      }
    return acc;
  });
}

// Scatters, as the definition does: each input pixel adds to the outputs that it reaches.
inline Bytes conv_transpose_reference(const ConvCase& k) {
  const auto& p = k.p;
  const int depth = p.in_c / p.groups, per_group = p.out_c / p.groups;
  std::vector<std::int64_t> acc(k.out_size(), 0);
  for (int b = 0; b < p.batches; ++b)
    for (int y = 0; y < p.in_h; ++y)
      for (int x = 0; x < p.in_w; ++x)
        for (int ky = 0; ky < p.kernel_h; ++ky)
          for (int kx = 0; kx < p.kernel_w; ++kx) {
            const int oy = y * p.stride_h - p.pad_top + ky * p.dilation_h;
            const int ox = x * p.stride_w - p.pad_left + kx * p.dilation_w;
            if (oy < 0 || oy >= p.out_h || ox < 0 || ox >= p.out_w) continue;
            for (int c = 0; c < p.out_c; ++c)
              for (int ic = 0; ic < depth; ++ic) {
                std::int64_t v = 0;
                k.input(b, y, x, c / per_group * depth + ic, v);
                acc[static_cast<std::size_t>(((b * p.out_h + oy) * p.out_w + ox) * p.out_c + c)] +=
                    (v - p.in_zero) * weight(k, c, ky, kx, ic);
              }
          }
  std::size_t i = 0;
  return each_output(k, [&](int, int, int, int) { return acc[i++]; });
}

}  // namespace tinyml::test
