// Implicit matrix product: a tile's rows are neighbouring output positions, whose windows lie a constant step apart;
// the depth runs over the kernel's rows, each a contiguous run of kernel_w * channels floats (of single taps with
// dilation or groups). A 1x1 kernel without padding and stride is a plain matrix product over all positions of the
// batch.
#include "lib/math/convolution.h"

#include <algorithm>
#include <cstring>

#include "lib/math/shares.h"

namespace tinyml::math {
namespace {

// A share of this many multiply-accumulates takes about 2 us, twice the cost of handing it to another thread
// (measured).
constexpr std::size_t kLeastShare = 1 << 15;

bool is_flat(const ConvSizes& s) {
  return s.kernel_h == 1 && s.kernel_w == 1 && s.stride_h == 1 && s.stride_w == 1 && s.groups == 1 &&
         s.out_h == s.in_h && s.out_w == s.in_w;
}

std::size_t macs_per_row(const ConvSizes& s) {
  return s.out_w * s.out_channels * (s.in_channels / s.groups) * s.kernel_h * s.kernel_w;
}

// Weights of one group as a matrix with depth in the order (row, column, channel) of the kernel.
PackedMatrix pack_group(const ConvSizes& s, const float* weights, std::size_t group) {
  const std::size_t in = s.in_channels / s.groups, out = s.out_channels / s.groups, taps = s.kernel_h * s.kernel_w;
  std::vector<float> matrix(taps * in * out);
  const float* source = weights + group * out * in * taps;
  for (std::size_t m = 0; m < out; ++m)
    for (std::size_t c = 0; c < in; ++c)
      for (std::size_t t = 0; t < taps; ++t) matrix[(t * in + c) * out + m] = source[(m * in + c) * taps + t];
  return pack(matrix.data(), taps * in, out, out, 1);
}

// One row of [channels][plane] to [width][channels]; colour images have their own loop, which compiles to vectors.
void interleave(const float* row, std::size_t plane, std::size_t channels, std::size_t width, float* out) {
  if (channels == 3) {
    const float *r = row, *g = row + plane, *b = row + 2 * plane;
    for (std::size_t j = 0; j < width; ++j) {
      out[3 * j] = r[j];
      out[3 * j + 1] = g[j];
      out[3 * j + 2] = b[j];
    }
    return;
  }
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t j = 0; j < width; ++j) out[j * channels + c] = row[c * plane + j];
}

}  // namespace

Convolution::Convolution(const ConvSizes& sizes, const float* weights, const float* bias)
    : s_(sizes), whole_rows_(sizes.groups == 1 && sizes.dilation_w == 1) {
  const std::size_t out = s_.out_channels / s_.groups;
  for (std::size_t g = 0; g < s_.groups; ++g) {
    weights_.push_back(pack_group(s_, weights, g));
    if (bias == nullptr) continue;
    bias_.emplace_back(weights_.back().panels() * kPanel);
    std::copy(bias + g * out, bias + (g + 1) * out, bias_.back().data());
  }
}

bool Convolution::copies(bool planar) const {
  return planar || s_.pad_top + s_.pad_left + s_.pad_bottom + s_.pad_right != 0;
}

void Convolution::bind(const ConvSizes& sizes, std::size_t threads) {
  s_ = sizes;
  const std::size_t in = s_.in_channels / s_.groups;
  row_width_ = s_.in_w + s_.pad_left + s_.pad_right;
  segment_length_ = whole_rows_ ? s_.kernel_w * in : in;
  segments_.clear();
  for (std::size_t i = 0; i < s_.kernel_h; ++i)
    for (std::size_t j = 0; j < (whole_rows_ ? 1 : s_.kernel_w); ++j)
      segments_.push_back((i * s_.dilation_h * row_width_ + j * s_.dilation_w) * s_.in_channels);
  const std::size_t rows = is_flat(s_) ? s_.batch * s_.out_h * s_.out_w : s_.out_w;
  shape_ = choose_shape(kernels(), rows, weights_[0].panels(), weights_[0].depth);
  scratch_.resize(threads);
}

// Output rows whose padded input rows fit into a share of the second-level cache.
std::size_t Convolution::band_rows() const {
  constexpr std::size_t kScratch = 64 * 1024;  // floats
  const std::size_t row = row_width_ * s_.in_channels * s_.stride_h;
  return std::max<std::size_t>(1, kScratch / std::max<std::size_t>(1, row));
}

void Convolution::copy_rows(const Band& band, const float* x, bool planar, float* scratch) const {
  const std::size_t rows = (band.last - band.first - 1) * s_.stride_h + (s_.kernel_h - 1) * s_.dilation_h + 1;
  const std::size_t channels = s_.in_channels, width = row_width_ * channels;
  const float* image = x + band.image * s_.in_h * s_.in_w * channels;
  for (std::size_t i = 0; i < rows; ++i, scratch += width) {
    const std::size_t padded = band.first * s_.stride_h + i;
    if (padded < s_.pad_top || padded - s_.pad_top >= s_.in_h) {
      std::fill(scratch, scratch + width, 0.0F);
      continue;
    }
    const std::size_t row = padded - s_.pad_top;
    float* inside = scratch + s_.pad_left * channels;
    std::fill(scratch, inside, 0.0F);
    std::fill(inside + s_.in_w * channels, scratch + width, 0.0F);
    if (!planar) {
      std::memcpy(inside, image + row * s_.in_w * channels, s_.in_w * channels * sizeof(float));
      continue;
    }
    interleave(image + row * s_.in_w, s_.in_h * s_.in_w, channels, s_.in_w, inside);
  }
}

void Convolution::run_band(const Band& band, const float* x, bool planar, float* scratch, float* y,
                           const Epilogue& e) const {
  const float* rows = x + (band.image * s_.in_h + band.first * s_.stride_h) * s_.in_w * s_.in_channels;
  if (copies(planar)) {
    copy_rows(band, x, planar, scratch);
    rows = scratch;
  }
  const std::size_t in = s_.in_channels / s_.groups, out = s_.out_channels / s_.groups;
  for (std::size_t r = band.first; r < band.last; ++r, rows += s_.stride_h * row_width_ * s_.in_channels) {
    const std::size_t at = (band.image * s_.out_h + r) * s_.out_w * s_.out_channels;
    for (std::size_t g = 0; g < s_.groups; ++g)
      multiply_packed(kernels(),
                      {.a = rows + g * in,
                       .a_row = s_.stride_w * s_.in_channels,
                       .segment = segments_.data(),
                       .segments = segments_.size(),
                       .length = segment_length_,
                       .b = nullptr,
                       .b_step = 0,
                       .b_panel = 0,
                       .column_bias = bias_.empty() ? nullptr : bias_[g].data(),
                       .row_bias = nullptr,
                       .add = e.add != nullptr ? e.add + at + g * out : nullptr,
                       .add_row = s_.out_channels,
                       .low = e.low,
                       .high = e.high,
                       .c = y + at + g * out,
                       .c_row = s_.out_channels,
                       .columns = out},
                      s_.out_w, weights_[g], 0, weights_[g].panels(), shape_);
  }
}

void Convolution::run_flat(const float* x, float* y, const Epilogue& e, ThreadPool& pool) {
  const std::size_t rows = s_.batch * s_.out_h * s_.out_w, in = s_.in_channels, out = s_.out_channels;
  const std::size_t shares = share_count(pool, rows, rows * in * out, kLeastShare);
  for_shares(pool, shares, rows, [&](std::size_t, std::size_t first, std::size_t last) {
    multiply_packed(kernels(),
                    {.a = x + first * in,
                     .a_row = in,
                     .segment = segments_.data(),
                     .segments = 1,
                     .length = in,
                     .b = nullptr,
                     .b_step = 0,
                     .b_panel = 0,
                     .column_bias = bias_.empty() ? nullptr : bias_[0].data(),
                     .row_bias = nullptr,
                     .add = e.add != nullptr ? e.add + first * out : nullptr,
                     .add_row = out,
                     .low = e.low,
                     .high = e.high,
                     .c = y + first * out,
                     .c_row = out,
                     .columns = out},
                    last - first, weights_[0], 0, weights_[0].panels(), shape_);
  });
}

void Convolution::run(const float* x, bool planar, float* y, const Epilogue& e, ThreadPool& pool) {
  if (is_flat(s_) && !copies(planar)) return run_flat(x, y, e, pool);
  const std::size_t rows = s_.batch * s_.out_h;
  const std::size_t shares = share_count(pool, rows, rows * macs_per_row(s_), kLeastShare);
  for_shares(pool, std::min(shares, scratch_.size()), rows,
             [&](std::size_t share, std::size_t first, std::size_t last) {
               const std::size_t most = band_rows();
               AlignedFloats& scratch = scratch_[share];
               for (std::size_t row = first; row < last;) {
                 const std::size_t image = row / s_.out_h, from = row % s_.out_h;
                 const std::size_t to = std::min({s_.out_h, from + last - row, from + most});
                 if (copies(planar))
                   scratch.grow(((to - from - 1) * s_.stride_h + (s_.kernel_h - 1) * s_.dilation_h + 1) * row_width_ *
                                s_.in_channels);
                 run_band({image, from, to}, x, planar, scratch.data(), y, e);
                 row += to - from;
               }
             });
}

}  // namespace tinyml::math
