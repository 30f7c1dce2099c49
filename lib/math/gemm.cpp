// The order of tiles: panels outside, rows inside, so that a group of B's panels stays in cache while A streams by.
// Blocks of rows are made equal in size: 16 rows with 12 at most are 8 + 8, since a tile of few rows is slow.
#include "lib/math/gemm.h"

#include <algorithm>
#include <limits>

namespace tinyml::math {
namespace {

// Estimated cycles per step of k for one tile: two fused multiply-adds and two loads per cycle, a latency of four
// cycles for each chain, and B from the second-level cache at about 28 bytes per cycle (measured) when it exceeds the
// first.
double tile_cycles(std::size_t rows, std::size_t panels, bool large) {
  const auto r = static_cast<double>(rows), p = static_cast<double>(panels);
  const double traffic = p * static_cast<double>(kPanel * sizeof(float)) / (large ? 28.0 : 128.0);
  return std::max({r * p / 2, (r + p) / 2, 4.0, traffic});
}

// Runs the tile's `width` panels for all rows, in blocks of equal size.
void multiply_panels(const KernelSet& set, const Tile& whole, std::size_t rows, std::size_t width) {
  const std::size_t limit = set.max_rows[width], blocks = (rows + limit - 1) / limit;
  Tile t = whole;
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t row = rows * block / blocks, end = rows * (block + 1) / blocks;
    t.a = whole.a + row * whole.a_row;
    t.c = whole.c + row * whole.c_row;
    if (whole.row_bias != nullptr) t.row_bias = whole.row_bias + row;
    if (whole.add != nullptr) t.add = whole.add + row * whole.add_row;
    set.tile[width][end - row](t);
  }
}

Tile at_panel(const Tile& whole, std::size_t panel, std::size_t width, std::size_t columns) {
  Tile t = whole;
  t.c += panel * kPanel;
  if (t.add != nullptr) t.add += panel * kPanel;
  if (t.column_bias != nullptr) t.column_bias += panel * kPanel;
  t.columns = std::min(columns - panel * kPanel, width * kPanel);
  return t;
}

}  // namespace

PackedMatrix pack(const float* source, std::size_t depth, std::size_t columns, std::size_t k_stride,
                  std::size_t j_stride, float factor) {
  PackedMatrix m{depth, columns, {}};
  m.data = AlignedFloats(m.panels() * depth * kPanel);
  for (std::size_t j = 0; j < columns; ++j) {
    const std::size_t panel = j / kPanel, group = panel / kGroup, width = std::min(kGroup, m.panels() - group * kGroup);
    float* target = m.data.data() + group * kGroup * depth * kPanel + panel % kGroup * kPanel + j % kPanel;
    for (std::size_t k = 0; k < depth; ++k) target[k * width * kPanel] = source[k * k_stride + j * j_stride] * factor;
  }
  return m;
}

TileShape choose_shape(const KernelSet& set, std::size_t rows, std::size_t panels, std::size_t depth) {
  TileShape best;
  double least = std::numeric_limits<double>::infinity();
  constexpr std::size_t kFirstLevel = 32 * 1024;
  const bool large = depth * std::min(panels, kGroup) * kPanel * sizeof(float) > kFirstLevel;
  const std::size_t group = std::min(panels, kGroup);
  for (std::size_t width = 1; width <= group; ++width) {
    if (set.max_rows[width] == 0) continue;
    const std::size_t blocks = (rows + set.max_rows[width] - 1) / set.max_rows[width];
    const std::size_t each = (rows + blocks - 1) / std::max<std::size_t>(1, blocks), rest = group % width;
    double cycles = static_cast<double>(group / width * blocks) * tile_cycles(each, width, large);
    if (rest != 0) cycles += static_cast<double>(blocks) * tile_cycles(each, rest, large);
    if (cycles < least) {
      least = cycles;
      best = {width};
    }
  }
  return best;
}

void multiply_packed(const KernelSet& set, Tile tile, std::size_t rows, const PackedMatrix& b, std::size_t first_panel,
                     std::size_t last_panel, TileShape shape) {
  tile.b_panel = kPanel;
  for (std::size_t p = first_panel; p < last_panel;) {
    const std::size_t group = p / kGroup * kGroup, group_width = std::min(kGroup, b.panels() - group);
    std::size_t width = std::min({shape.panels, group + group_width - p, last_panel - p});
    while (set.max_rows[width] == 0) --width;
    Tile t = at_panel(tile, p, width, b.columns);
    t.b = b.data.data() + group * b.depth * kPanel + (p - group) * kPanel;
    t.b_step = group_width * kPanel;
    multiply_panels(set, t, rows, width);
    p += width;
  }
}

template <>
void multiply_rows<float>(const RowProduct<float>& r) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const KernelSet& set = kernels();
  const std::size_t start = 0, panels = (r.columns + kPanel - 1) / kPanel;
  const TileShape shape = choose_shape(set, r.rows, panels, r.depth);
  const Tile whole{.a = r.a,
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
                   .columns = r.columns};
  for (std::size_t p = 0; p < panels;) {
    std::size_t width = std::min(shape.panels, panels - p);
    while (set.max_rows[width] == 0) --width;
    Tile t = at_panel(whole, p, width, r.columns);
    t.b += p * kPanel;
    multiply_panels(set, t, r.rows, width);
    p += width;
  }
}

template <>
void multiply_rows<double>(const RowProduct<double>& r) {
  for (std::size_t i = 0; i < r.rows; ++i) {
    double* c = r.c + i * r.c_row;
    std::fill(c, c + r.columns, r.row_bias != nullptr ? r.row_bias[i] : 0.0);
    for (std::size_t k = 0; k < r.depth; ++k) {
      const double x = r.a[i * r.depth + k];
      const double* b = r.b + k * r.b_row;
      for (std::size_t j = 0; j < r.columns; ++j) c[j] += x * b[j];
    }
  }
}

}  // namespace tinyml::math
