// Convolution over channels-last images without unfolding: windows are read in place from the image, or from a padded
// copy of the rows at hand. Weights are packed once; geometry is bound per input size.
#pragma once

#include <vector>

#include "lib/math/gemm.h"
#include "lib/support/threads.h"

namespace tinyml::math {

struct ConvSizes {
  std::size_t batch, in_h, in_w, in_channels, out_h, out_w, out_channels;
  std::size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  std::size_t pad_top, pad_left, pad_bottom, pad_right, groups;
};

struct Epilogue {
  const float* add;  // nullptr, or of the output's shape
  float low, high;
};

class Convolution {
 public:
  // weights [out channels][in channels / groups][kernel_h][kernel_w]; bias may be nullptr.
  Convolution(const ConvSizes& sizes, const float* weights, const float* bias);
  // Sizes of batch and image may change; channels, kernel and groups may not.
  void bind(const ConvSizes& sizes, std::size_t threads);
  // `planar`: x is [N, C, H, W] instead of [N, H, W, C].
  void run(const float* x, bool planar, float* y, const Epilogue& epilogue, ThreadPool& pool);

 private:
  struct Band {  // output rows [first, last) of one image
    std::size_t image, first, last;
  };
  bool copies(bool planar) const;
  std::size_t band_rows() const;
  void run_band(const Band& band, const float* x, bool planar, float* scratch, float* y, const Epilogue& e) const;
  void copy_rows(const Band& band, const float* x, bool planar, float* scratch) const;
  void run_flat(const float* x, float* y, const Epilogue& e, ThreadPool& pool);

  ConvSizes s_;
  bool whole_rows_;                    // one segment per row of the kernel, else one per tap
  std::vector<PackedMatrix> weights_;  // per group
  std::vector<AlignedFloats> bias_;    // per group; empty without bias
  std::vector<std::size_t> segments_;  // for rows of the padded width
  std::size_t segment_length_ = 0, row_width_ = 0;
  TileShape shape_;
  std::vector<AlignedFloats> scratch_;  // per thread
};

}  // namespace tinyml::math
