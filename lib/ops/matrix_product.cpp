// float32 packs B once per call (A too when its columns are not dense); the others are exact or rarely used, so plain.
#include "lib/ops/matrix_product.h"

#include <algorithm>
#include <limits>

#include "lib/math/gemm.h"

namespace tinyml {
namespace {

std::size_t z(std::int64_t x) { return static_cast<std::size_t>(x); }

void multiply_float(MatrixView<float> a, MatrixView<float> b, std::int64_t m, std::int64_t k, std::int64_t n, float* c,
                    ThreadPool& threads) {
  const math::PackedMatrix packed = math::pack(b.data, z(k), z(n), z(b.row_stride), z(b.column_stride));
  std::vector<float> dense;
  if (a.column_stride != 1) {
    dense.resize(z(m * k));
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < k; ++j) dense[z(i * k + j)] = a.data[i * a.row_stride + j * a.column_stride];
    a = {dense.data(), k, 1};
  }
  const std::size_t start = 0;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr std::int64_t kGrainMacs = 1 << 16;  // below, waking a thread costs more than it saves
  const std::int64_t grain = std::max<std::int64_t>(1, kGrainMacs / std::max<std::int64_t>(1, k * n));
  const math::TileShape shape = math::choose_shape(math::kernels(), z(m), packed.panels(), z(k));
  threads.parallel_for(z(m), z(grain), [&](std::size_t from, std::size_t to) {
    math::multiply_packed(math::kernels(),
                          {.a = a.data + static_cast<std::int64_t>(from) * a.row_stride,
                           .a_row = z(a.row_stride),
                           .segment = &start,
                           .segments = 1,
                           .length = z(k),
                           .b = nullptr,
                           .b_step = 0,
                           .b_panel = 0,
                           .column_bias = nullptr,
                           .row_bias = nullptr,
                           .add = nullptr,
                           .add_row = 0,
                           .low = -kInfinity,
                           .high = kInfinity,
                           .c = c + from * z(n),
                           .c_row = z(n),
                           .columns = z(n)},
                          to - from, packed, 0, packed.panels(), shape);
  });
}

}  // namespace

template <class T>
void multiply(MatrixView<T> a, MatrixView<T> b, std::int64_t m, std::int64_t k, std::int64_t n, T* c,
              ThreadPool& threads) {
  if (m == 0 || n == 0) return;
  if constexpr (std::is_same_v<T, float>) return multiply_float(a, b, m, k, n, c, threads);
  threads.parallel_for(z(m), 1, [&](std::size_t from, std::size_t to) {
    for (auto i = static_cast<std::int64_t>(from); i < static_cast<std::int64_t>(to); ++i) {
      T* row = c + i * n;
      std::fill(row, row + n, T(0));
      for (std::int64_t p = 0; p < k; ++p) {
        const T x = a.data[i * a.row_stride + p * a.column_stride];
        for (std::int64_t j = 0; j < n; ++j)
          row[j] = static_cast<T>(row[j] + x * b.data[p * b.row_stride + j * b.column_stride]);
      }
    }
  });
}

template void multiply(MatrixView<float>, MatrixView<float>, std::int64_t, std::int64_t, std::int64_t, float*,
                       ThreadPool&);
template void multiply(MatrixView<double>, MatrixView<double>, std::int64_t, std::int64_t, std::int64_t, double*,
                       ThreadPool&);
template void multiply(MatrixView<std::uint32_t>, MatrixView<std::uint32_t>, std::int64_t, std::int64_t, std::int64_t,
                       std::uint32_t*, ThreadPool&);
template void multiply(MatrixView<std::uint64_t>, MatrixView<std::uint64_t>, std::int64_t, std::int64_t, std::int64_t,
                       std::uint64_t*, ThreadPool&);

}  // namespace tinyml
