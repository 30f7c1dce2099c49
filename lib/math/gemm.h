// Matrix products over lib/math/kernels.h: with B packed ahead (constant weights), and unpacked for float and double
// (plain evaluation). The same order of operations everywhere: see kernels.h.
#pragma once

#include <cstddef>
#include <vector>

#include "lib/math/aligned.h"
#include "lib/math/kernels.h"

namespace tinyml::math {

// B [depth x columns] in panels of kPanel columns, zero-padded, up to kGroup panels interleaved row by row, so that a
// product reads one sequential stream. Groups follow one another.
constexpr std::size_t kGroup = 4;
struct PackedMatrix {
  std::size_t depth = 0, columns = 0;
  AlignedFloats data;
  std::size_t panels() const { return (columns + kPanel - 1) / kPanel; }
};
// Element (k, j) is source[k * k_stride + j * j_stride] * factor.
PackedMatrix pack(const float* source, std::size_t depth, std::size_t columns, std::size_t k_stride,
                  std::size_t j_stride, float factor = 1.0F);

// How to cut a product into tiles; chosen once per shape.
struct TileShape {
  std::size_t panels = 1;  // at once
};
TileShape choose_shape(const KernelSet& set, std::size_t rows, std::size_t panels, std::size_t depth);

// C = A * B for `rows` rows and the panels [first_panel, last_panel) of B. `tile` describes the whole product, of any
// size; its b, b_step, b_panel and columns are taken from `b`.
void multiply_packed(const KernelSet& set, Tile tile, std::size_t rows, const PackedMatrix& b, std::size_t first_panel,
                     std::size_t last_panel, TileShape shape);

// C[i][j] = row_bias[i] + sum over k of A[i][k] * B[k][j], all row-major; A's rows are `depth` apart.
template <class T>
struct RowProduct {
  std::size_t rows, columns, depth;
  const T* a;
  const T* b;
  std::size_t b_row;  // at least `columns` rounded up to kPanel: whole panels are read
  const T* row_bias;  // nullptr: 0
  T* c;
  std::size_t c_row;
};
template <class T>
void multiply_rows(const RowProduct<T>& product);
template <>
void multiply_rows<float>(const RowProduct<float>& product);
template <>
void multiply_rows<double>(const RowProduct<double>& product);

}  // namespace tinyml::math
