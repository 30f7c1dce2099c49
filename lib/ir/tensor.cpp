// Storage is aligned to 64 bytes for the vector kernels. Conversions follow ONNX Cast.
#include "lib/ir/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "lib/ir/visit_dtype.h"
#include "lib/support/error.h"
#include "lib/support/memory.h"

namespace tinyml {

void Tensor::Free::operator()(std::byte* p) const { give_memory(p); }

Tensor::Tensor(DType dtype, Dims dims) : dtype_(dtype), dims_(std::move(dims)), count_(element_count(dims_)) {
  allocate();
  if (count_ != 0) std::memset(buffer_.get(), 0, bytes());
}

Tensor::Tensor(const Tensor& other) : dtype_(other.dtype_), dims_(other.dims_), count_(other.count_) {
  allocate();
  if (count_ != 0) std::memcpy(buffer_.get(), other.buffer_.get(), bytes());
}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this != &other) *this = Tensor(other);
  return *this;
}

Tensor Tensor::from_i64(std::span<const std::int64_t> values) {
  return from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

void Tensor::allocate() {
  const std::size_t need = bytes();
  if (need > kMostBytes)
    throw Error("a tensor of shape " + to_string(dims_) + " needs " + std::to_string(need) + " bytes",
                "check the dimensions");
  if (buffer_ && need <= capacity_) return;
  buffer_.reset();  // before the larger one is taken
  capacity_ = 0;
  try {
    buffer_.reset(static_cast<std::byte*>(take_memory(need)));
  } catch (const MemoryError& error) {
    throw MemoryError("a tensor of shape " + to_string(dims_) + " " + error.message(), error.hint());
  }
  capacity_ = need;
}

void Tensor::reshape(Dims dims) {
  if (element_count(dims) != count_)
    throw Error("cannot reshape " + to_string(dims_) + " to " + to_string(dims), "element counts must agree");
  dims_ = std::move(dims);
}

void Tensor::reset(DType dtype, const Dims& dims) {
  count_ = element_count(dims);
  dtype_ = dtype;
  dims_ = dims;  // keeps its own memory: no allocation in a steady state
  allocate();
}

bool Tensor::compatible(DType asked) const {
  switch (dtype_) {
    case DType::i4:
      return asked == DType::i8;
    case DType::u4:
    case DType::boolean:
      return asked == DType::u8;
    case DType::f16:
    case DType::bf16:
      return asked == DType::u16;
    default:
      return false;
  }
}

void Tensor::wrong_type(DType asked) const {
  internal_error("tensor of " + std::string(dtype_name(dtype_)) + " read as " + std::string(dtype_name(asked)));
}

bool Tensor::operator==(const Tensor& other) const {
  return dtype_ == other.dtype_ && dims_ == other.dims_ &&
         (count_ == 0 || std::memcmp(buffer_.get(), other.buffer_.get(), bytes()) == 0);
}

float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  const std::uint32_t exponent = (bits >> 10U) & 0x1fU;
  const std::uint32_t mantissa = bits & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t e = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (e << 23U) | (mantissa << 13U));
}

std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00U);
  const float magnitude = std::fabs(value);
  if (magnitude == 0) return sign;
  if (magnitude >= 65520.0F) return static_cast<std::uint16_t>(sign | 0x7c00U);
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  const int scale = std::min(24, 11 - exponent);  // mantissa of 11 bits, fewer below 2^-14
  const auto integer = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, scale)));
  if (scale == 24) return static_cast<std::uint16_t>(sign | integer);  // subnormal, or the smallest normal
  return static_cast<std::uint16_t>(sign | ((static_cast<std::uint32_t>(25 - scale) << 10U) + integer - 1024U));
}

float bfloat16_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }

std::uint16_t float_to_bfloat16(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);
  bits += 0x7fffU + ((bits >> 16U) & 1U);
  return static_cast<std::uint16_t>(bits >> 16U);
}

namespace {

template <class To, class From>
To cast_value(From value) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(value)) return 0;
    if (value >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    if (value <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

// How elements lie in memory: 4-bit integers and bools take a byte each.
DType stored_as(DType type) {
  if (type == DType::i4) return DType::i8;
  return type == DType::u4 || type == DType::boolean ? DType::u8 : type;
}

// Calls visit(reader), reader(i) being element i as a C++ number.
template <class Visit>
void read_as(const Tensor& t, Visit&& visit) {
  const auto plain = [&]<class T>(T) {
    const auto d = t.data<T>();
    visit([d](std::size_t i) { return d[i]; });
  };
  if (visit_arithmetic(stored_as(t.dtype()), plain)) return;
  if (t.dtype() == DType::string) throw Error("a tensor of strings has no numeric value", "remove it from the graph");
  const auto d = t.data<std::uint16_t>();
  if (t.dtype() == DType::f16)
    visit([d](std::size_t i) { return half_to_float(d[i]); });
  else
    visit([d](std::size_t i) { return bfloat16_to_float(d[i]); });
}

template <class Reader>
void write_as(Tensor& out, Reader read) {
  const auto n = static_cast<std::size_t>(out.size());
  const auto fill = [n](auto d, auto element) {
    for (std::size_t i = 0; i < n; ++i) d[i] = element(i);
  };
  const auto plain = [&]<class T>(T) { fill(out.data<T>(), [&](std::size_t i) { return cast_value<T>(read(i)); }); };
  if (visit_arithmetic(out.dtype(), plain)) return;
  switch (out.dtype()) {
    case DType::boolean:
      return fill(out.data<std::uint8_t>(), [&](std::size_t i) { return std::uint8_t{read(i) != 0}; });
    case DType::f16:
      return fill(out.data<std::uint16_t>(), [&](std::size_t i) { return float_to_half(static_cast<float>(read(i))); });
    case DType::bf16:
      return fill(out.data<std::uint16_t>(),
                  [&](std::size_t i) { return float_to_bfloat16(static_cast<float>(read(i))); });
    default:
      throw Error("cannot convert to " + std::string(dtype_name(out.dtype())), "use a type of 8 bits or more");
  }
}

}  // namespace

Tensor convert(const Tensor& tensor, DType to) {
  if (tensor.dtype() == to) return tensor;
  Tensor out(to, tensor.dims());
  read_as(tensor, [&](auto read) { write_as(out, read); });
  return out;
}

std::vector<std::int64_t> to_int64s(const Tensor& tensor) {
  if (!is_integer(tensor.dtype()) && tensor.dtype() != DType::boolean)
    throw Error("expected an integer tensor, found " + std::string(dtype_name(tensor.dtype())), "check the model");
  const Tensor wide = convert(tensor, DType::i64);
  const auto d = wide.data<std::int64_t>();
  return {d.begin(), d.end()};
}

std::vector<float> to_floats(const Tensor& tensor) {
  const Tensor wide = convert(tensor, DType::f32);
  const auto d = wide.data<float>();
  return {d.begin(), d.end()};
}

}  // namespace tinyml
