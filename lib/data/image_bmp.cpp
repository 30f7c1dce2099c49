// Uncompressed Windows bitmaps of 8 (palette), 24 and 32 bits (BITMAPINFOHEADER and later): the kinds that image tools
// write. Anything else is refused. Own code, since no library is needed for so little.
#include <array>

#include "lib/data/image.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error("BMP: " + what, "write it again as an uncompressed bitmap of 24 bits, or as PNG");
}

std::uint32_t little(std::span<const std::byte> bytes, std::size_t at, std::size_t count) {
  if (at + count > bytes.size()) fail("the file ends early");
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8U | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

struct Header {
  std::size_t pixels = 0, palette = 0, colours = 0, bits = 0;
  std::uint64_t width = 0, height = 0;
  bool top_down = false;
};

Header read_header(std::span<const std::byte> bytes) {
  constexpr std::size_t kFileHeader = 14, kInfoHeader = 40;
  Header h;
  h.pixels = little(bytes, 10, 4);
  const std::size_t info = little(bytes, kFileHeader, 4);
  if (info < kInfoHeader) fail("a header that is too old");
  h.palette = kFileHeader + info;
  const auto width = static_cast<std::int32_t>(little(bytes, 18, 4));
  const auto height = static_cast<std::int64_t>(static_cast<std::int32_t>(little(bytes, 22, 4)));
  h.top_down = height < 0;
  h.width = width < 0 ? 0 : static_cast<std::uint64_t>(width);
  h.height = static_cast<std::uint64_t>(height < 0 ? -height : height);
  h.bits = little(bytes, 28, 2);
  const std::uint32_t compression = little(bytes, 30, 4);
  constexpr std::uint32_t kNone = 0, kBitFields = 3;
  if (compression != kNone && !(compression == kBitFields && h.bits == 32)) fail("compressed");
  if (h.bits != 8 && h.bits != 24 && h.bits != 32) fail(std::to_string(h.bits) + " bits a pixel");
  h.colours = little(bytes, 46, 4);
  if (h.colours == 0 || h.colours > 256) h.colours = 256;
  return h;
}

}  // namespace

Image decode_bmp(std::span<const std::byte> bytes) {
  const Header h = read_header(bytes);
  check_image_size(h.height, h.width);
  const std::size_t stride = (h.width * h.bits + 31) / 32 * 4;
  if (h.pixels > bytes.size() || stride * h.height > bytes.size() - h.pixels) fail("the file ends early");
  Image image{h.height, h.width, std::vector<std::uint8_t>(h.height * h.width * 3)};
  for (std::size_t y = 0; y < h.height; ++y) {
    const std::size_t row = h.pixels + stride * (h.top_down ? y : h.height - 1 - y);
    for (std::size_t x = 0; x < h.width; ++x) {
      std::size_t from = row + x * (h.bits / 8);
      if (h.bits == 8) {
        const std::uint32_t index = little(bytes, from, 1);
        if (index >= h.colours) fail("a colour that is not in the palette");
        from = h.palette + index * 4;
      }
      std::uint8_t* to = image.rgb.data() + (y * h.width + x) * 3;
      for (std::size_t c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>(little(bytes, from + 2 - c, 1));
    }
  }
  return image;
}

}  // namespace tinyml
