// Numbers and arrays as C text. Everything is deterministic and independent of the locale.
#include "formats/csource/print.h"

#include <fmt/format.h>

#include "lib/support/error.h"

namespace tinyml::csource {

std::string upper(const std::string& name) {
  std::string result = name;
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

std::string_view c_type(DType type) {
  switch (type) {
    case DType::i8:
      return "int8_t";
    case DType::u8:
    case DType::boolean:
      return "uint8_t";
    case DType::i16:
      return "int16_t";
    case DType::u16:
      return "uint16_t";
    case DType::i32:
      return "int32_t";
    case DType::u32:
      return "uint32_t";
    case DType::i64:
      return "int64_t";
    case DType::u64:
      return "uint64_t";
    default:
      internal_error("no C type for " + std::string(dtype_name(type)));
  }
}

std::string c_integer(std::int64_t value, DType type) {
  if (type == DType::i64) {
    if (value == INT64_MIN) return "(-INT64_C(9223372036854775807) - 1)";
    return fmt::format("INT64_C({})", value);
  }
  if (type == DType::i32 && value == INT32_MIN) return "(-2147483647 - 1)";
  if (type == DType::u32) return fmt::format("{}u", value);
  return fmt::format("{}", value);
}

std::string c_float(float value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

ArenaText arena_text(const Program& program) {
  if (!program.two_arenas) return {"void *arena", "const void *arena", "arena"};
  return {"void *arena, void *slow_arena", "const void *arena, const void *slow_arena", "arena, slow_arena"};
}

std::string in_comment(const std::string& text) {
  std::string line = printable(text);
  for (std::size_t at = line.find("*/"); at != std::string::npos; at = line.find("*/", at)) line.replace(at, 2, "* /");
  for (std::size_t at = line.find("/*"); at != std::string::npos; at = line.find("/*", at)) line.replace(at, 2, "/ *");
  return line;
}

namespace {

std::string rows_of(const std::vector<std::int64_t>& values, DType type) {
  constexpr std::size_t kShort = 80, kWidth = 118;
  std::string text, row;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string item = c_integer(values[i], type) + (i + 1 == values.size() ? "" : ",");
    if (!row.empty() && row.size() + 1 + item.size() > kWidth - 2) {
      text += "\n  " + row;
      row.clear();
    }
    row += (row.empty() ? "" : " ") + item;
  }
  if (text.empty() && row.size() <= kShort) return "{" + row + "}";
  return "{" + text + "\n  " + row + "}";
}

}  // namespace

std::string c_list(const std::vector<std::int64_t>& values, DType type) { return rows_of(values, type); }

std::string c_array(const Tensor& tensor) { return rows_of(to_int64s(tensor), tensor.dtype()); }

}  // namespace tinyml::csource
