// What the first bytes of a file tell: a hostile file of two gigabytes that is no model is refused by its first block.
#include <cstdint>
#include <optional>

#include "formats/onnx/proto.h"

namespace tinyml::onnx_format {
namespace {

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  constexpr unsigned kBits = 7;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += kBits) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80U) return value;
  }
  return std::nullopt;
}

constexpr unsigned kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5;  // protobuf's wire types
constexpr unsigned kGraph = 7;                                            // ModelProto.graph

}  // namespace

// Walks the fields of the model, and into the graph, as far as the block goes.
bool starts_as_message(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto tag = take_varint(bytes);
    if (!tag) return bytes.empty();
    const std::uint64_t field = *tag >> 3U, type = *tag & 7U;
    std::uint64_t skip = type == kFixed64 ? 8 : type == kFixed32 ? 4 : 0;
    if (field == 0 || (type != kVarint && type != kLength && skip == 0)) return false;
    if (skip == 0) {
      const auto value = take_varint(bytes);
      if (!value) return bytes.empty();
      if (type == kLength && field == kGraph) continue;
      if (type == kLength) skip = *value;
    }
    if (skip >= bytes.size()) return true;
    bytes.remove_prefix(static_cast<std::size_t>(skip));
  }
  return true;
}

}  // namespace tinyml::onnx_format
