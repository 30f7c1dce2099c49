// Products of host matrices, for Gemm and MatMul: any strides, float32 through the vector kernels, other types by
// loops.
#pragma once

#include "lib/ir/tensor.h"
#include "lib/support/threads.h"

namespace tinyml {

// One operand: element (row, column) at data[row * row_stride + column * column_stride].
template <class T>
struct MatrixView {
  const T* data;
  std::int64_t row_stride, column_stride;
};

// C[m x n] = A[m x k] * B[k x n], C dense row-major. T: float, double, uint32, uint64 (signed ones too, by
// their bits: products modulo 2^n).
template <class T>
void multiply(MatrixView<T> a, MatrixView<T> b, std::int64_t m, std::int64_t k, std::int64_t n, T* c,
              ThreadPool& threads);

}  // namespace tinyml
