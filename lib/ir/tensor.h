// A dense, row-major host tensor that owns its bytes. Movable cheaply; copies share nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "lib/ir/dtype.h"
#include "lib/ir/shape.h"

namespace tinyml {

class Tensor {
 public:
  Tensor() = default;              // float32, no elements
  Tensor(DType dtype, Dims dims);  // zero-filled; throws Error when larger than kMostBytes
  Tensor(const Tensor& other);
  Tensor& operator=(const Tensor& other);
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;

  // Far above what a microcontroller's model or a batch of its data needs, and what a hostile shape may claim.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 29U;

  template <class T>
  static Tensor from(Dims dims, std::span<const T> values);
  template <class T>
  static Tensor scalar(T value) {
    return from<T>({}, std::span<const T>(&value, 1));
  }
  static Tensor from_i64(std::span<const std::int64_t> values);  // one-dimensional

  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  std::size_t rank() const { return dims_.size(); }
  std::int64_t size() const { return count_; }  // elements
  std::size_t bytes() const { return static_cast<std::size_t>(count_) * byte_size(dtype_); }

  // Typed access; the type must match dtype() (an internal error otherwise). bool tensors hold one byte 0 or 1.
  template <class T>
  std::span<T> data() {
    check<T>();
    return {reinterpret_cast<T*>(buffer_.get()), static_cast<std::size_t>(count_)};
  }
  template <class T>
  std::span<const T> data() const {
    check<T>();
    return {reinterpret_cast<const T*>(buffer_.get()), static_cast<std::size_t>(count_)};
  }
  std::byte* raw() { return buffer_.get(); }
  const std::byte* raw() const { return buffer_.get(); }

  // Gives the tensor another shape of the same count, or another type and shape, reusing the buffer when it is large
  // enough (then the contents are unspecified).
  void reshape(Dims dims);
  void reset(DType dtype, const Dims& dims);

  bool operator==(const Tensor& other) const;  // type, shape and bytes

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  template <class T>
  void check() const {
    if (DTypeOf<T>::value != dtype_ && !compatible(DTypeOf<T>::value)) wrong_type(DTypeOf<T>::value);
  }
  bool compatible(DType asked) const;  // int8 for i4, uint8 for u4 and bool, uint16 for f16 and bf16
  [[noreturn]] void wrong_type(DType asked) const;
  void allocate();

  DType dtype_ = DType::f32;
  Dims dims_{0};
  std::int64_t count_ = 0;
  std::size_t capacity_ = 0;
  std::unique_ptr<std::byte, Free> buffer_;  // aligned to 64 bytes
};

// Copies every element into another type by value (float to integer: towards zero, saturating; NaN to 0), as ONNX Cast.
Tensor convert(const Tensor& tensor, DType to);
// The elements of any integer (or bool) tensor as int64. Throws Error for another type.
std::vector<std::int64_t> to_int64s(const Tensor& tensor);
// The elements of any numeric tensor as float.
std::vector<float> to_floats(const Tensor& tensor);

float half_to_float(std::uint16_t bits);
std::uint16_t float_to_half(float value);  // round to nearest even
float bfloat16_to_float(std::uint16_t bits);
std::uint16_t float_to_bfloat16(float value);

template <class T>
Tensor Tensor::from(Dims dims, std::span<const T> values) {
  Tensor t(DTypeOf<T>::value, std::move(dims));
  auto out = t.data<T>();
  for (std::size_t i = 0; i < out.size() && i < values.size(); ++i) out[i] = values[i];
  return t;
}

}  // namespace tinyml
