// Shapes that no microcontroller holds, as hostile models name them, must cost no time.
#include "lib/device/conv2d_shape.h"

#include <catch2/catch.hpp>

#include "lib/device/pack_conv2d_dsp.h"
#include "lib/device/pack_conv2d_mve.h"

using namespace tinyml;

namespace {

LoweredStep convolution(std::int64_t extent, std::int64_t kernel, std::int64_t pad) {
  LoweredStep step;
  step.kernel = "tml_conv2d_s8";
  for (const char* one : {"batches", "groups", "in_c", "out_c", "stride_h", "stride_w", "dilation_h", "dilation_w"})
    step.fields.push_back({one, std::int64_t{1}});
  for (const char* size : {"in_h", "in_w", "out_h", "out_w"}) step.fields.push_back({size, extent});
  for (const char* size : {"kernel_h", "kernel_w"}) step.fields.push_back({size, kernel});
  for (const char* size : {"pad_top", "pad_left"}) step.fields.push_back({size, pad});
  return step;
}

}  // namespace

TEST_CASE("a convolution of billions of pixels takes no packed form", "[device]") {
  for (const LoweredStep& step : {convolution(60000, 1, 0), convolution(4000, 60001, 30000)}) {
    CHECK_FALSE(is_walkable(conv2d_shape(step)));
    CHECK_FALSE(conv2d_dsp_form(step, Target::cortex_m4));
    CHECK_FALSE(conv2d_mve_form(step, Target::cortex_m55));
  }
}

TEST_CASE("real layers are walked", "[device]") {
  CHECK(is_walkable(conv2d_shape(convolution(224, 7, 3))));
  // One run of pixels, 1x1: the next pixel's byte stands right behind, so the output may stand where the input does.
  CHECK(conv2d_distance(conv2d_shape(convolution(8, 1, 0)), 0) == 0);
  // Too long for raster_distance, which follows a million pixels: then the two lie apart.
  CHECK(conv2d_distance(conv2d_shape(convolution(2000, 1, 0)), 0) == 4000000);
}
