// The order of blocks: panels outside, rows inside, so that a group of B's panels stays in cache while A streams by.
// Blocks of rows are made equal in size: 16 rows at most 12 at a time are 8 + 8, since a tile of few rows is slow.
#include "lib/math/gemm.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tinyml::math {
namespace {

// Panels to take at once: the widest offer that is not wider than what is left, and that suits the number of rows.
std::size_t choose_panels(const KernelSet& set, std::size_t left, std::size_t rows) {
  std::size_t best = 1;
  for (std::size_t p = 1; p <= std::min(left, kMostPanels); ++p)
    if (set.max_rows[p] != 0 && (p <= 4 || rows <= set.max_rows[p])) best = p;
  return best;
}

}  // namespace

void run_tiles(const KernelSet& set, const Tile& whole, std::size_t rows) {
  const std::size_t panels = (whole.columns + kPanel - 1) / kPanel;
  for (std::size_t p = 0; p < panels;) {
    const std::size_t width = choose_panels(set, panels - p, rows);
    const std::size_t blocks = (rows + set.max_rows[width] - 1) / set.max_rows[width];
    Tile t = whole;
    t.b = whole.b + p * whole.b_panel;
    t.columns = std::min(whole.columns - p * kPanel, width * kPanel);
    if (t.column_bias != nullptr) t.column_bias += p * kPanel;
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::size_t row = rows * block / blocks, end = rows * (block + 1) / blocks;
      t.a = whole.a + row * whole.a_row;
      t.c = whole.c + row * whole.c_row + p * kPanel;
      if (whole.row_bias != nullptr) t.row_bias = whole.row_bias + row;
      if (whole.add != nullptr) t.add = whole.add + row * whole.add_row + p * kPanel;
      set.tile[width][end - row](t);
    }
    p += width;
  }
}

template <>
void multiply_rows<float>(const RowProduct<float>& r) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::size_t start = 0;
  run_tiles(kernels(),
            {.a = r.a,
             .a_row = r.depth,
             .segment = &start,
             .segments = 1,
             .length = r.depth,
             .b = r.b,
             .b_step = r.b_row,
             .b_panel = kPanel,
             .column_bias = nullptr,
             .row_bias = r.row_bias,
             .add = nullptr,
             .add_row = 0,
             .low = -kInfinity,
             .high = kInfinity,
             .c = r.c,
             .c_row = r.c_row,
             .columns = r.columns},
            r.rows);
}

template <class T>
void multiply_rows(const RowProduct<T>& r) {
  for (std::size_t i = 0; i < r.rows; ++i) {
    T* c = r.c + i * r.c_row;
    std::fill(c, c + r.columns, r.row_bias != nullptr ? r.row_bias[i] : T(0));
    for (std::size_t k = 0; k < r.depth; ++k) {
      const T x = r.a[i * r.depth + k];
      const T* b = r.b + k * r.b_row;
      for (std::size_t j = 0; j < r.columns; ++j) c[j] += x * b[j];
    }
  }
}
template void multiply_rows<double>(const RowProduct<double>&);

std::vector<float> pack_panels(const float* source, std::size_t depth, std::size_t columns, std::size_t k_stride,
                               std::size_t j_stride) {
  const std::size_t panels = (columns + kPanel - 1) / kPanel;
  std::vector<float> packed(panels * depth * kPanel, 0.0F);
  for (std::size_t j = 0; j < columns; ++j)
    for (std::size_t k = 0; k < depth; ++k)
      packed[(j / kPanel * depth + k) * kPanel + j % kPanel] = source[k * k_stride + j * j_stride];
  return packed;
}

}  // namespace tinyml::math
