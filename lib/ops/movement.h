// Data movement without arithmetic, for elements of any type: copies of strided views (Transpose, Slice, Expand, Tile,
// Split) and gathers by one index table per axis (Pad, Resize nearest). Only sizes of elements matter here.
#pragma once

#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml {

// Calls visit(T{}) with an unsigned integer of the element's size.
template <class Visit>
void visit_element_size(DType type, Visit&& visit) {
  switch (byte_size(type)) {
    case 1:
      return visit(std::uint8_t{});
    case 2:
      return visit(std::uint16_t{});
    case 4:
      return visit(std::uint32_t{});
    case 8:
      return visit(std::uint64_t{});
    default:
      throw Error("a tensor of " + std::string(dtype_name(type)) + " cannot be moved",
                  "only numeric and bool tensors are supported");
  }
}

// A view of a tensor's elements: element (i0, i1, ...) of the view is element offset + sum of i * stride of the tensor.
struct StridedView {
  std::int64_t offset = 0;
  Dims dims, strides;  // strides in elements; may be 0 or negative
};

// Writes the view's elements densely, in row-major order, into `out` (which has as many). Throws Error for strings.
void copy_view(const Tensor& source, const StridedView& view, Tensor& out, ThreadPool& threads);

// Writes a dense block to a place in `out`, row by row: `out` is seen as [outer, stride], the block as [outer, length].
void copy_block(const Tensor& source, Tensor& out, std::int64_t outer, std::int64_t length, std::int64_t stride,
                std::int64_t offset);

// out[i0, i1, ...] = source[tables[0][i0], tables[1][i1], ...], or `fill` (one element; nullptr: zero) where any table
// entry is negative. One table per axis, as long as the output's dimension; entries below the source's dimension.
void gather_axes(const Tensor& source, std::span<const std::vector<std::int64_t>> tables, const std::byte* fill,
                 Tensor& out, ThreadPool& threads);

// Output 0 is input 0's bytes with other dimensions.
void copy_with_dims(EvalContext& context, const Dims& dims);

}  // namespace tinyml
