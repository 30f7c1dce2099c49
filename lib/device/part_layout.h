// Where the bytes of a buffer stand that is a part of another: side by side, or, as some of the channels of an NHWC map
// do, in runs at a pitch. Used by views.cpp, which finds parts, and by pitch.cpp, which fits the steps to them.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/ops/lowering.h"

namespace tinyml {

// Byte i stands at offset + i / run * pitch + i % run; with pitch 0 at offset + i.
struct PartLayout {
  std::int64_t offset = 0;
  std::int64_t run = 0, pitch = 0;
  bool is_dense() const { return pitch == 0; }
  bool operator==(const PartLayout&) const = default;
};

// Bytes from the first to behind the last.
std::int64_t span_of(const PartLayout& layout, std::int64_t bytes);

// The place in the outermost of a part (of so many bytes) of a part of it; nullopt where its runs are not regular.
std::optional<PartLayout> compose(const PartLayout& outer, const PartLayout& inner, std::int64_t bytes);

// Whether the bytes may meet; never false where they do.
bool may_meet(const PartLayout& a, std::int64_t a_bytes, const PartLayout& b, std::int64_t b_bytes);

// A tml_copy without table and constant, between buffers: where its elements stand on either side, in the order of the
// walk. nullopt where that is no PartLayout on one of them, or elements change their order.
struct CopyLayouts {
  PartLayout in, out;
  std::int64_t bytes = 0;
};
std::optional<CopyLayouts> copy_layouts(const LoweredStep& copy);

}  // namespace tinyml
