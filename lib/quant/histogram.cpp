// Bin edges are powers of two times integers, so that merging two bins into one of twice the width is exact.
#include "lib/quant/histogram.h"

#include <algorithm>
#include <cmath>

#include "lib/quant/extremes.h"

namespace tinyml {

double Histogram::bin_width() const { return exponent_ == kUnset ? 1.0 : std::ldexp(1.0, exponent_); }

void Histogram::grow() {
  std::vector<std::uint64_t> merged(counts_.size(), 0);
  for (int i = -kSide; i < kSide; ++i) {
    const int half = i >= 0 ? i / 2 : -((1 - i) / 2);  // floor(i / 2)
    merged[static_cast<std::size_t>(kSide + half)] += counts_[static_cast<std::size_t>(kSide + i)];
  }
  counts_ = std::move(merged);
  ++exponent_;
}

template <class Scale>
void Histogram::count(Scale scale, std::span<const float> values) {
  for (const float v : values) {
    const double at = scale(v);
    const int toward_zero = static_cast<int>(at);
    const int bin = toward_zero - (at < toward_zero ? 1 : 0);  // the floor
    ++counts_[static_cast<std::size_t>(kSide + std::clamp(bin, -kSide, kSide - 1))];
  }
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  const auto [low, high] = find_extremes(values);
  min_ = total_ == 0 ? low : std::min(min_, low);
  max_ = total_ == 0 ? high : std::max(max_, high);
  total_ += values.size();
  zeros_ += static_cast<std::uint64_t>(std::count(values.begin(), values.end(), 0.0F));

  const float reach = std::max(std::fabs(low), std::fabs(high));
  if (reach == 0) {
    zeros_before_scale_ += values.size();
    return;
  }
  int needed = 0;
  std::frexp(reach, &needed);  // reach < 2^needed
  constexpr int kSideLog2 = 12;
  static_assert((1 << kSideLog2) == kSide);
  if (exponent_ == kUnset) exponent_ = needed - kSideLog2;
  while (exponent_ < needed - kSideLog2) grow();
  // A power of two times a float is exact.
  const float inverse = std::ldexp(1.0F, -exponent_);
  if (std::isfinite(inverse) && inverse > 0)
    count([inverse](float v) { return static_cast<double>(v) * static_cast<double>(inverse); }, values);
  else
    count([this](float v) { return std::ldexp(static_cast<double>(v), -exponent_); }, values);
  counts_[kSide] += zeros_before_scale_;
  zeros_before_scale_ = 0;
}

}  // namespace tinyml
