// One picture from the bytes of a JPEG, PNG or BMP file. Used by image_folder.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tinyml {

struct Image {
  std::size_t height = 0, width = 0;
  std::vector<std::uint8_t> rgb;  // height x width x 3
};

// Throws Error when the bytes are no such picture, are damaged, or claim more than 64 million pixels.
Image decode_image(std::span<const std::byte> bytes);

// Each by itself; decode_image chooses by the first bytes.
Image decode_jpeg(std::span<const std::byte> bytes);
Image decode_png(std::span<const std::byte> bytes);
Image decode_bmp(std::span<const std::byte> bytes);

// Error when a picture of this size is absurd; called before memory is taken for it.
void check_image_size(std::uint64_t height, std::uint64_t width);

}  // namespace tinyml
