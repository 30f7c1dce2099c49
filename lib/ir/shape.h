// Shapes. `Dims` are concrete (of a Tensor); `Shape` may hold symbolic dimensions (of a Value), such as `batch`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/ir/dtype.h"

namespace tinyml {

using Dims = std::vector<std::int64_t>;

// Product of the dimensions, 1 for a scalar. Throws Error when one is negative or the product passes 2^40.
std::int64_t element_count(const Dims& dims);

// One dimension: a number, or unknown; an unknown one may carry the exporter's symbol. Two unknowns with the same
// non-empty symbol are equal at run time.
struct Dim {
  std::int64_t value = -1;
  std::string symbol;

  Dim() = default;
  Dim(std::int64_t v) : value(v) {}  // NOLINT: a number is a dimension
  explicit Dim(std::string s) : symbol(std::move(s)) {}
  bool known() const { return value >= 0; }
  bool operator==(const Dim&) const = default;
};
using Shape = std::vector<Dim>;

// Provably equal at run time: an unknown without symbol is equal to nothing.
bool same_dim(const Dim& a, const Dim& b);
bool same_shape(const Shape& a, const Shape& b);

bool is_static(const Shape& shape);
Dims to_dims(const Shape& shape);  // requires is_static
Shape to_shape(const Dims& dims);
std::string to_string(const Shape& shape);  // "[batch,3,32,32]", unknown without symbol: "?"
std::string to_string(const Dims& dims);

// NumPy-style broadcasting of concrete dimensions. Throws Error when they do not fit.
Dims broadcast(const Dims& a, const Dims& b);
// The same with symbolic dimensions; an unknown against 1 stays, against a number becomes the number.
Shape broadcast(const Shape& a, const Shape& b);

// Row-major strides in elements.
Dims row_major_strides(const Dims& dims);

struct TensorType {
  DType dtype = DType::f32;
  std::optional<Shape> shape;  // nullopt: not even the rank is known
  bool operator==(const TensorType&) const = default;
};

}  // namespace tinyml
