// The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Only what NumPy itself
// writes is understood, with the keys in any order.
#include "lib/data/npy_header.h"

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "lib/support/error.h"

namespace tinyml {
namespace {

[[noreturn]] void malformed(const std::string& what) {
  throw Error("not a valid .npy file: " + what, "write it again with numpy.save");
}

constexpr std::array<std::pair<std::string_view, DType>, 14> kTypes{{{"f4", DType::f32},
                                                                     {"f8", DType::f64},
                                                                     {"f2", DType::f16},
                                                                     {"i1", DType::i8},
                                                                     {"u1", DType::u8},
                                                                     {"i2", DType::i16},
                                                                     {"u2", DType::u16},
                                                                     {"i4", DType::i32},
                                                                     {"u4", DType::u32},
                                                                     {"i8", DType::i64},
                                                                     {"u8", DType::u64},
                                                                     {"b1", DType::boolean},
                                                                     {"i1", DType::i4},
                                                                     {"u1", DType::u4}}};

// The text after "'key':".
std::string_view value_of(std::string_view header, const std::string& key) {
  auto at = header.find("'" + key + "'");
  if (at == std::string_view::npos) malformed("the header has no '" + key + "'");
  at = header.find(':', at);
  if (at == std::string_view::npos) malformed("the header has no value for '" + key + "'");
  at = header.find_first_not_of(' ', at + 1);
  return at == std::string_view::npos ? std::string_view{} : header.substr(at);
}

void parse_descr(std::string_view text, NpyHeader& out) {
  if (text.starts_with('[')) throw Error("the array is structured (named fields)", "save plain numbers");
  const auto end = text.find('\'', 1);
  if (!text.starts_with('\'') || end == std::string_view::npos) malformed("'descr' is no string");
  std::string_view descr = text.substr(1, end - 1);
  const std::string shown(descr.substr(0, 20));
  if (!descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos) {
    out.big_endian = descr[0] == '>';
    descr.remove_prefix(1);
  }
  if (descr == "?") descr = "b1";
  for (const auto& [name, type] : kTypes) {
    if (descr != name) continue;
    out.dtype = type;
    return;
  }
  throw Error("element type '" + printable(shown) + "' is no number that we read",
              "convert with array.astype('float32')");
}

void parse_shape(std::string_view text, NpyHeader& out) {
  const auto end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) malformed("'shape' is no tuple");
  text = text.substr(1, end - 1);
  constexpr std::size_t kMostDims = 32;  // NumPy's own limit
  for (std::size_t at = 0; (at = text.find_first_not_of(", L", at)) != std::string_view::npos;) {
    std::int64_t dim = 0;
    const auto [next, error] = std::from_chars(text.data() + at, text.data() + text.size(), dim);
    if (error != std::errc{} || dim < 0 || out.dims.size() == kMostDims) malformed("bad 'shape'");
    out.dims.push_back(dim);
    at = static_cast<std::size_t>(next - text.data());
  }
}

std::string read_text(const ByteSource& bytes, NpyHeader& out) {
  std::array<std::byte, 12> start{};
  if (bytes.size() < start.size()) malformed(bytes.size() == 0 ? "the file is empty" : "the file ends early");
  bytes.read(0, start);
  if (std::memcmp(start.data(), "\x93NUMPY", 6) != 0) malformed("it does not start with NumPy's mark");
  const int version = std::to_integer<int>(start[6]);
  if (version < 1 || version > 3) malformed("unknown version " + std::to_string(version));
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = length << 8U | std::to_integer<std::size_t>(start[8 + i]);
  constexpr std::size_t kMostHeader = std::size_t{1} << 20U;
  out.data_offset = 8 + length_bytes + length;
  if (length > kMostHeader || out.data_offset > bytes.size()) malformed("the header ends early");
  std::string text(length, '\0');
  bytes.read(8 + length_bytes, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

NpyHeader read_npy_header(const ByteSource& bytes) {
  NpyHeader header;
  const std::string text = read_text(bytes, header);
  parse_descr(value_of(text, "descr"), header);
  header.fortran_order = value_of(text, "fortran_order").starts_with("True");
  parse_shape(value_of(text, "shape"), header);
  const auto elements = static_cast<std::uint64_t>(element_count(header.dims));
  const std::uint64_t present = bytes.size() - header.data_offset;
  const std::uint64_t needed = elements * byte_size(header.dtype);
  if (present < needed)
    throw Error("the array " + to_string(header.dims) + " needs " + std::to_string(needed) + " bytes but only " +
                    std::to_string(present) + " are there",
                "the file is truncated; write it again");
  return header;
}

std::string npy_descr(DType type) {
  for (const auto& [name, known] : kTypes)
    if (known == type) return (byte_size(type) == 1 ? "|" : "<") + std::string(name);
  throw Error("a tensor of " + std::string(dtype_name(type)) + " has no .npy form");
}

}  // namespace tinyml
