// A histogram that grows with its data: bins of width 2^k aligned at zero, merged pairwise when a value falls outside.
// Whatever the order and batching of the samples, the final counts are the same, and memory is constant: calibration
// streams. Used by the observers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tinyml {

class Histogram {
 public:
  // Bins on either side of zero. At least half of them are in use on the longer side, so that a range of the data is
  // resolved to 1/2048, eight times finer than int8.
  static constexpr int kSide = 4096;

  void add(std::span<const float> values);

  std::uint64_t total() const { return total_; }
  std::uint64_t zeros() const { return zeros_; }  // exact zeros: they cost nothing on any grid
  float min() const { return min_; }              // exact extremes of the data; 0 when empty
  float max() const { return max_; }
  double bin_width() const;
  // counts()[kSide + i] counts values in [i, i + 1) * bin_width(), -kSide <= i < kSide.
  const std::vector<std::uint64_t>& counts() const { return counts_; }

 private:
  void grow();
  template <class Scale>
  void count(Scale scale, std::span<const float> values);

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(2 * kSide, 0);
  int exponent_ = kUnset;  // bin width 2^exponent_
  std::uint64_t total_ = 0, zeros_ = 0, zeros_before_scale_ = 0;
  float min_ = 0, max_ = 0;
  static constexpr int kUnset = -100000;
};

}  // namespace tinyml
