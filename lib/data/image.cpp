// Chooses the decoder by the file's first bytes, since names lie.
#include "lib/data/image.h"

#include <cstring>

#include "lib/support/error.h"

namespace tinyml {

void check_image_size(std::uint64_t height, std::uint64_t width) {
  constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 26U;
  if (height == 0 || width == 0 || height > kMostPixels || width > kMostPixels || height * width > kMostPixels)
    throw Error("a picture of " + std::to_string(width) + "x" + std::to_string(height) + " pixels",
                "the file is damaged or far too large for a microcontroller");
}

Image decode_image(std::span<const std::byte> bytes) {
  const auto starts = [&](const char* mark, std::size_t n) {
    return bytes.size() >= n && std::memcmp(bytes.data(), mark, n) == 0;
  };
  if (starts("\xFF\xD8\xFF", 3)) return decode_jpeg(bytes);
  if (starts("\x89PNG\r\n\x1A\n", 8)) return decode_png(bytes);
  if (starts("BM", 2)) return decode_bmp(bytes);
  throw Error("not a JPEG, PNG or BMP picture", "convert it, or remove it from the folder");
}

}  // namespace tinyml
