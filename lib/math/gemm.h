// Matrix products over lib/math/kernels.h: an unpacked one for float and double (plain evaluation), and one with B
// packed ahead (constant weights). Same order of operations everywhere: see kernels.h.
#pragma once

#include <cstddef>
#include <vector>

#include "lib/math/kernels.h"

namespace tinyml::math {

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
extern template void multiply_rows<double>(const RowProduct<double>&);
template <>
void multiply_rows<float>(const RowProduct<float>& product);

// Walks C = A * B in blocks of rows and panels: tile describes the whole product, with any number of rows and columns.
void run_tiles(const KernelSet& set, const Tile& whole, std::size_t rows);

// B [depth x columns] in panels of kPanel columns, zero-padded: element (k, j) at
// (j / kPanel * depth + k) * kPanel + j % kPanel. b(k, j) = source[k * k_stride + j * j_stride].
std::vector<float> pack_panels(const float* source, std::size_t depth, std::size_t columns, std::size_t k_stride,
                               std::size_t j_stride);

}  // namespace tinyml::math
