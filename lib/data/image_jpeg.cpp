// JPEG through libjpeg-turbo with its default transform and upsampling, as Pillow and OpenCV use it: the pixels are the
// same ones that a model trained there has seen. The library reports errors by longjmp; nothing with a destructor lives
// in the function that it leaves.
#include <cstdio>  // jpeglib.h needs FILE

#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <csetjmp>

#include "lib/data/image.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

struct Failure {
  jpeg_error_mgr base;
  std::jmp_buf leave;
  std::array<char, JMSG_LENGTH_MAX> message;
};

void on_error(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  info->err->format_message(info, failure->message.data());
  std::longjmp(failure->leave, 1);
}

// A truncated file is only a warning to the library, which would fill it with grey. Other warnings (such as stray bytes
// before a marker) are common in real data sets and harmless.
void on_message(j_common_ptr info, int) {
  if (info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JWRN_HIT_MARKER) on_error(info);
}

bool start(jpeg_decompress_struct& info, Failure& failure, std::span<const std::byte> bytes) {
  if (setjmp(failure.leave) != 0) return false;
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&info, TRUE);
  if (info.jpeg_color_space != JCS_GRAYSCALE) info.out_color_space = JCS_RGB;
  jpeg_calc_output_dimensions(&info);
  return true;
}

bool read_rows(jpeg_decompress_struct& info, Failure& failure, std::uint8_t* rgb) {
  if (setjmp(failure.leave) != 0) return false;
  jpeg_start_decompress(&info);
  const std::size_t width = info.output_width;
  while (info.output_scanline < info.output_height) {
    std::uint8_t* row = rgb + info.output_scanline * width * 3;
    jpeg_read_scanlines(&info, &row, 1);
    if (info.output_components != 1) continue;
    for (std::size_t x = width; x-- > 0;) row[x * 3] = row[x * 3 + 1] = row[x * 3 + 2] = row[x];
  }
  jpeg_finish_decompress(&info);
  return true;
}

struct Decoder {
  jpeg_decompress_struct info{};
  Failure failure{};
  Decoder() {
    info.err = jpeg_std_error(&failure.base);
    failure.base.error_exit = on_error;
    failure.base.emit_message = on_message;
    jpeg_create_decompress(&info);
  }
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  [[noreturn]] void fail() const {
    throw Error("damaged JPEG: " + printable(failure.message.data()), "remove the file or write it again");
  }
};

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes) {
  Decoder decoder;
  if (!start(decoder.info, decoder.failure, bytes)) decoder.fail();
  check_image_size(decoder.info.output_height, decoder.info.output_width);
  Image image{decoder.info.output_height, decoder.info.output_width, {}};
  image.rgb.resize(image.height * image.width * 3);
  if (!read_rows(decoder.info, decoder.failure, image.rgb.data())) decoder.fail();
  return image;
}

}  // namespace tinyml
