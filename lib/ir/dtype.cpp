// The table behind DType: name, size and class of each element type.
#include "lib/ir/dtype.h"

#include <array>

namespace tinyml {
namespace {

enum class Class : std::uint8_t { real, integer, other };
struct Info {
  std::string_view name;
  std::uint8_t bytes;
  Class cls;
};
constexpr std::array<Info, 16> kInfo{{{"float32", 4, Class::real},
                                      {"float64", 8, Class::real},
                                      {"float16", 2, Class::real},
                                      {"bfloat16", 2, Class::real},
                                      {"int8", 1, Class::integer},
                                      {"uint8", 1, Class::integer},
                                      {"int16", 2, Class::integer},
                                      {"uint16", 2, Class::integer},
                                      {"int32", 4, Class::integer},
                                      {"uint32", 4, Class::integer},
                                      {"int64", 8, Class::integer},
                                      {"uint64", 8, Class::integer},
                                      {"bool", 1, Class::other},
                                      {"int4", 1, Class::integer},
                                      {"uint4", 1, Class::integer},
                                      {"string", 0, Class::other}}};

const Info& info(DType type) { return kInfo[static_cast<std::size_t>(type)]; }

}  // namespace

std::size_t byte_size(DType type) { return info(type).bytes; }
std::string_view dtype_name(DType type) { return info(type).name; }
bool is_float(DType type) { return info(type).cls == Class::real; }
bool is_integer(DType type) { return info(type).cls == Class::integer; }

}  // namespace tinyml
