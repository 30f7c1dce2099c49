// Shape arithmetic with overflow checks: dimensions come from foreign files.
#include "lib/ir/shape.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {

std::int64_t element_count(const Dims& dims) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  std::int64_t count = 1;
  bool zero = false;
  for (const std::int64_t d : dims) {
    if (d < 0) throw Error("negative dimension in shape " + to_string(dims), "dimensions must be 0 or more");
    if (d == 0) {
      zero = true;
      continue;
    }
    if (count > kMost / d)
      throw Error("shape " + to_string(dims) + " has more than 2^40 elements", "check the dimensions");
    count *= d;
  }
  return zero ? 0 : count;
}

bool same_dim(const Dim& a, const Dim& b) { return a == b && (a.known() || !a.symbol.empty()); }

bool same_shape(const Shape& a, const Shape& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_dim); }

bool is_static(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](const Dim& d) { return d.known(); });
}

Dims to_dims(const Shape& shape) {
  Dims dims;
  for (const Dim& d : shape) {
    if (!d.known()) internal_error("to_dims of a shape that is not static: " + to_string(shape));
    dims.push_back(d.value);
  }
  return dims;
}

Shape to_shape(const Dims& dims) { return {dims.begin(), dims.end()}; }

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != 0) out += ",";
    out += shape[i].known() ? std::to_string(shape[i].value) : shape[i].symbol.empty() ? "?" : shape[i].symbol;
  }
  return out + "]";
}

std::string to_string(const Dims& dims) {
  std::string out = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) out += (i != 0 ? "," : "") + std::to_string(dims[i]);
  return out + "]";
}

namespace {

Dim broadcast_dim(const Dim& a, const Dim& b, const Shape& sa, const Shape& sb) {
  if (a == b) return a;
  if (a.known() && a.value == 1) return b;
  if (b.known() && b.value == 1) return a;
  if (a.known() && b.known())
    throw Error("shapes " + to_string(sa) + " and " + to_string(sb) + " do not broadcast",
                "each pair of dimensions must be equal or one of them 1");
  if (a.known()) return a;
  if (b.known()) return b;
  return {};
}

}  // namespace

Shape broadcast(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const Dim da = i < rank - a.size() ? Dim(1) : a[i - (rank - a.size())];
    const Dim db = i < rank - b.size() ? Dim(1) : b[i - (rank - b.size())];
    out[i] = broadcast_dim(da, db, a, b);
  }
  return out;
}

Dims broadcast(const Dims& a, const Dims& b) { return to_dims(broadcast(to_shape(a), to_shape(b))); }

Dims row_major_strides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

}  // namespace tinyml
