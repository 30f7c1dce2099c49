// PNG through libpng's simplified interface: 8 bits a channel, palettes and grey expanded, transparency on black.
#include <png.h>

#include "lib/data/image.h"
#include "lib/support/error.h"

namespace tinyml {

Image decode_png(std::span<const std::byte> bytes) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const auto fail = [&] {
    const std::string message = png.message;
    png_image_free(&png);
    throw Error("damaged PNG: " + printable(message), "remove the file or write it again");
  };
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) fail();
  try {
    check_image_size(png.height, png.width);
  } catch (...) {
    png_image_free(&png);
    throw;
  }
  png.format = PNG_FORMAT_RGB;
  Image image{png.height, png.width, std::vector<std::uint8_t>(std::size_t{png.height} * png.width * 3)};
  const png_color black{0, 0, 0};
  if (png_image_finish_read(&png, &black, image.rgb.data(), 0, nullptr) == 0) fail();
  return image;
}

}  // namespace tinyml
