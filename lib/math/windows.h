// Depthwise convolution and pooling over channels-last images, read in place: the output falls into rectangles whose
// windows have the same taps inside of the image.
#pragma once

#include <vector>

#include "lib/math/convolution.h"

namespace tinyml::math {

class Windows {
 public:
  enum class Kind : std::uint8_t { depthwise, mean, max };
  // Neighbouring outputs along one axis with the same taps inside of the image.
  struct Run {
    std::size_t first, count, tap, taps;
    std::size_t counted;  // taps inside of the padded image
  };

  // depthwise: weights [channels][kernel_h][kernel_w], bias may be nullptr. Pools: nullptr both.
  Windows(Kind kind, const ConvSizes& sizes, const float* weights, const float* bias);
  // count_padding (mean): padded taps count in the divisor.
  void bind(const ConvSizes& sizes, bool count_padding);
  void run(const float* x, float* y, const Epilogue& epilogue, ThreadPool& pool) const;

 private:
  void run_rectangle(const Run& rows, const Run& columns, std::size_t image, std::size_t first, std::size_t last,
                     const float* x, float* y, const Epilogue& e) const;
  float divisor(const Run& rows, const Run& columns) const;  // of the mean
  void run_line(WindowRun run, float divisor) const;
  void compute_line(const WindowRun& run, float divisor) const;

  Kind kind_;
  ConvSizes s_;
  std::size_t padded_channels_;
  std::size_t side_by_side_ = 1;  // pixels in one panel, where they are dense
  AlignedFloats weights_, bias_;
  std::vector<Run> rows_, columns_;
  bool count_padding_ = false;
};

}  // namespace tinyml::math
