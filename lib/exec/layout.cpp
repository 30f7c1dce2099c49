// Both directions are a transposition of a matrix per image, in square blocks that stay in the first-level cache.
#include "lib/exec/layout.h"

#include <algorithm>
#include <cstring>

#include "lib/math/shares.h"
#include "lib/ops/prepared.h"

namespace tinyml {
namespace {

// to[c][r] = from[r][c]
void transpose(const float* from, float* to, std::size_t rows, std::size_t columns) {
  constexpr std::size_t kBlock = 16;  // a cache line of floats
  for (std::size_t r0 = 0; r0 < rows; r0 += kBlock)
    for (std::size_t c0 = 0; c0 < columns; c0 += kBlock)
      for (std::size_t c = c0; c < std::min(columns, c0 + kBlock); ++c)
        for (std::size_t r = r0; r < std::min(rows, r0 + kBlock); ++r) to[c * rows + r] = from[r * columns + c];
}

void transpose_images(const Tensor& from, Tensor& to, std::size_t rows, std::size_t columns, ThreadPool& threads) {
  const auto images = static_cast<std::size_t>(from.dims()[0]);
  const float* x = from.data<float>().data();
  float* y = to.data<float>().data();
  if (rows == 1 || columns == 1) {
    if (from.size() != 0) std::memcpy(y, x, from.bytes());
    return;
  }
  constexpr std::size_t kLeastShare = 1 << 14;  // elements: about 5 us
  const std::size_t shares = math::share_count(threads, images, images * rows * columns, kLeastShare);
  math::for_shares(threads, shares, images, [&](std::size_t, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) transpose(x + i * rows * columns, y + i * rows * columns, rows, columns);
  });
}

std::size_t spatial_size(const Dims& row_major) {
  std::size_t size = 1;
  for (std::size_t i = 2; i < row_major.size(); ++i) size *= static_cast<std::size_t>(row_major[i]);
  return size;
}

}  // namespace

void convert_to_channels_last(const Tensor& from, Tensor& to, ThreadPool& threads) {
  const Dims& dims = from.dims();
  to.reset(DType::f32, to_channels_last(dims));
  if (dims.size() < 3) return void(std::memcpy(to.raw(), from.raw(), from.bytes()));
  transpose_images(from, to, static_cast<std::size_t>(dims[1]), spatial_size(dims), threads);
}

void convert_to_row_major(const Tensor& from, Tensor& to, ThreadPool& threads) {
  const Dims dims = to_row_major(from.dims());
  to.reset(DType::f32, dims);
  if (dims.size() < 3) return void(std::memcpy(to.raw(), from.raw(), from.bytes()));
  transpose_images(from, to, spatial_size(dims), static_cast<std::size_t>(dims[1]), threads);
}

}  // namespace tinyml
