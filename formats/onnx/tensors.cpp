// TensorProto to Tensor and back. The element count is checked against what the file holds before anything is
// allocated, so that a claim of gigabytes costs nothing.
#include <fmt/format.h>

#include <cstring>
#include <limits>

#include "formats/onnx/proto.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

using ::onnx::TensorProto;

struct TypePair {
  int onnx;
  DType ours;
};
constexpr int kUint4 = 21, kInt4 = 22;  // newer than the enum of ONNX 1.12
constexpr TypePair kTypes[] = {
    {TensorProto::FLOAT, DType::f32},
    {TensorProto::UINT8, DType::u8},
    {TensorProto::INT8, DType::i8},
    {TensorProto::UINT16, DType::u16},
    {TensorProto::INT16, DType::i16},
    {TensorProto::INT32, DType::i32},
    {TensorProto::INT64, DType::i64},
    {TensorProto::STRING, DType::string},
    {TensorProto::BOOL, DType::boolean},
    {TensorProto::FLOAT16, DType::f16},
    {TensorProto::DOUBLE, DType::f64},
    {TensorProto::UINT32, DType::u32},
    {TensorProto::UINT64, DType::u64},
    {TensorProto::BFLOAT16, DType::bf16},
    {kUint4, DType::u4},
    {kInt4, DType::i4},
};

bool is_nibble(DType type) { return type == DType::i4 || type == DType::u4; }

std::size_t packed_bytes(DType type, std::int64_t count) {
  const auto n = static_cast<std::size_t>(count);
  return is_nibble(type) ? (n + 1) / 2 : n * byte_size(type);
}

Dims dims_of(const TensorProto& proto) {
  const Dims dims(proto.dims().begin(), proto.dims().end());
  for (const std::int64_t d : dims)
    if (d < 0) throw Error(fmt::format("dimension {} is negative", d), "the file is damaged; export the model again");
  return dims;
}

[[noreturn]] void wrong_size(const std::string& held, const Dims& dims, DType type, std::size_t expected) {
  throw Error(fmt::format("the file holds {}, but {}{} needs {}", held, dtype_name(type), to_string(dims), expected),
              "the file is damaged or truncated; export the model again");
}

// Two elements per byte, the first in the low half.
void unpack_nibbles(std::string_view packed, Tensor& tensor) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.size()); ++i) {
    const auto byte = static_cast<unsigned char>(packed[i / 2]);
    const unsigned nibble = i % 2 == 0 ? byte & 15U : byte >> 4U;
    const bool negative = tensor.dtype() == DType::i4 && nibble > 7;
    tensor.raw()[i] = static_cast<std::byte>(negative ? nibble | 0xf0U : nibble);
  }
}

Tensor from_raw(const std::string& raw, DType type, Dims dims) {
  const std::int64_t count = element_count(dims);
  const std::size_t expected = packed_bytes(type, count);
  if (raw.size() != expected) wrong_size(fmt::format("{} bytes", raw.size()), dims, type, expected);
  Tensor tensor(type, std::move(dims));
  if (is_nibble(type))
    unpack_nibbles(raw, tensor);
  else if (expected != 0)
    std::memcpy(tensor.raw(), raw.data(), expected);
  if (type == DType::boolean)
    for (auto& b : tensor.data<std::uint8_t>()) b = b != 0 ? 1 : 0;
  return tensor;
}

template <class T, class Field>
Tensor from_field(const Field& field, DType type, Dims dims) {
  const auto count = static_cast<std::size_t>(element_count(dims));
  if (static_cast<std::size_t>(field.size()) != count)
    wrong_size(fmt::format("{} elements", field.size()), dims, type, count);
  Tensor tensor(type, std::move(dims));
  T* out = reinterpret_cast<T*>(tensor.raw());
  for (std::size_t i = 0; i < count; ++i) {
    const auto v = field[static_cast<int>(i)];
    if constexpr (std::is_integral_v<T>) {
      if (std::cmp_less(v, std::numeric_limits<T>::min()) || std::cmp_greater(v, std::numeric_limits<T>::max()))
        throw Error(fmt::format("element {} is {}, outside of {}", i, v, dtype_name(type)), "export the model again");
    }
    out[i] = static_cast<T>(v);
  }
  return tensor;
}

Tensor nibbles_from_field(const TensorProto& proto, DType type, Dims dims) {
  std::string packed;
  for (const std::int32_t v : proto.int32_data()) packed += static_cast<char>(v & 0xff);
  return from_raw(packed, type, std::move(dims));
}

Tensor from_int32s(const TensorProto& proto, DType type, Dims dims) {
  switch (type) {
    case DType::i8:
      return from_field<std::int8_t>(proto.int32_data(), type, std::move(dims));
    case DType::u8:
    case DType::boolean:
      return from_field<std::uint8_t>(proto.int32_data(), type, std::move(dims));
    case DType::i16:
      return from_field<std::int16_t>(proto.int32_data(), type, std::move(dims));
    case DType::u16:
    case DType::f16:
    case DType::bf16:
      return from_field<std::uint16_t>(proto.int32_data(), type, std::move(dims));
    default:
      return from_field<std::int32_t>(proto.int32_data(), type, std::move(dims));
  }
}

Tensor from_typed(const TensorProto& proto, DType type, Dims dims) {
  switch (type) {
    case DType::f32:
      return from_field<float>(proto.float_data(), type, std::move(dims));
    case DType::f64:
      return from_field<double>(proto.double_data(), type, std::move(dims));
    case DType::i64:
      return from_field<std::int64_t>(proto.int64_data(), type, std::move(dims));
    case DType::u32:
      return from_field<std::uint32_t>(proto.uint64_data(), type, std::move(dims));
    case DType::u64:
      return from_field<std::uint64_t>(proto.uint64_data(), type, std::move(dims));
    case DType::i4:
    case DType::u4:
      return nibbles_from_field(proto, type, std::move(dims));
    default:
      return from_int32s(proto, type, std::move(dims));
  }
}

Tensor read_tensor(TensorProto& proto, const std::filesystem::path& folder) {
  const DType type = dtype_from_onnx(proto.data_type());
  if (type == DType::string) throw Error("it holds strings, expected numbers", "remove it from the model");
  if (proto.has_segment()) throw Error("it is stored in segments, which are not supported", "export the model again");
  Dims dims = dims_of(proto);
  if (proto.data_location() == TensorProto::EXTERNAL) {
    const std::string bytes = read_external(proto, folder, packed_bytes(type, element_count(dims)));
    return from_raw(bytes, type, std::move(dims));
  }
  if (!proto.has_raw_data()) return from_typed(proto, type, std::move(dims));
  Tensor tensor = from_raw(proto.raw_data(), type, std::move(dims));
  std::string().swap(*proto.mutable_raw_data());  // clear_raw_data would keep the memory
  return tensor;
}

std::string pack_nibbles(const Tensor& tensor) {
  std::string packed((static_cast<std::size_t>(tensor.size()) + 1) / 2, '\0');
  for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.size()); ++i) {
    const unsigned nibble = static_cast<unsigned>(tensor.raw()[i]) & 15U;
    const unsigned shifted = i % 2 == 0 ? nibble : nibble << 4U;
    packed[i / 2] = static_cast<char>(static_cast<unsigned char>(packed[i / 2]) | shifted);
  }
  return packed;
}

}  // namespace

DType dtype_from_onnx(int type) {
  for (const TypePair& pair : kTypes)
    if (pair.onnx == type) return pair.ours;
  throw Error(fmt::format("element type {} is not supported", type),
              "supported are float32, float64, float16, bfloat16, bool and integers of 4 to 64 bits");
}

int dtype_to_onnx(DType type) {
  for (const TypePair& pair : kTypes)
    if (pair.ours == type) return pair.onnx;
  internal_error("an element type without a number in ONNX");
}

Tensor tensor_from_proto(TensorProto& proto, const std::filesystem::path& folder) {
  try {
    return read_tensor(proto, folder);
  } catch (Error& error) {
    error.at_tensor(proto.name());
    throw;
  }
}

void tensor_to_proto(const Tensor& tensor, const std::string& name, TensorProto& proto) {
  proto.set_name(name);
  proto.set_data_type(dtype_to_onnx(tensor.dtype()));
  for (const std::int64_t d : tensor.dims()) proto.add_dims(d);
  if (is_nibble(tensor.dtype()))
    proto.set_raw_data(pack_nibbles(tensor));
  else
    proto.set_raw_data(tensor.size() == 0 ? std::string()
                                          : std::string(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes()));
}

}  // namespace tinyml::onnx_format
