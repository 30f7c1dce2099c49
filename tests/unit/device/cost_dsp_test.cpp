// The predicted instructions of the kernels for the DSP extension against counts under QEMU (gcc 12.2, -O2,
// mps2-an386): scripts/kernel_tests.sh --layers conv_dsp fully_connected_dsp prints them. Within 5 %.
#include <catch2/catch.hpp>

#include "lib/device/pack_conv2d_dsp.h"
#include "lib/device/pack_fully_connected_dsp.h"

using namespace tinyml;

namespace {

struct Axis {
  int in, kernel, stride, dilation, before, after;
  std::uint16_t out() const {
    return static_cast<std::uint16_t>((in + before + after - (kernel - 1) * dilation - 1) / stride + 1);
  }
};

struct Convolution {
  Axis h, w;
  int in_c, out_c, adds, counted;
};

// clang-format off
const Convolution kConvolutions[] = {
    {{49, 10, 2, 1, 4, 5}, {10, 4, 2, 1, 1, 1}, 1, 64, 0, 339130},  // kws01_0
    {{25, 1, 1, 1, 0, 0}, {5, 1, 1, 1, 0, 0}, 64, 64, 0, 435895},  // kws01_2
    {{32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 3, 16, 0, 597341},  // ic01_0
    {{32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 16, 16, 0, 2064174},  // ic01_1
    {{32, 3, 1, 1, 1, 1}, {32, 3, 1, 1, 1, 1}, 16, 16, 1, 2218496},  // ic01_2+3
    {{32, 3, 2, 1, 0, 1}, {32, 3, 2, 1, 0, 1}, 16, 32, 0, 975621},  // ic01_4
    {{16, 3, 1, 1, 1, 1}, {16, 3, 1, 1, 1, 1}, 32, 32, 0, 1896606},  // ic01_5
    {{32, 1, 2, 1, 0, 0}, {32, 1, 2, 1, 0, 0}, 16, 32, 0, 166229},  // ic01_6
    {{16, 3, 2, 1, 0, 1}, {16, 3, 2, 1, 0, 1}, 32, 64, 0, 938154},  // ic01_8
    {{8, 3, 1, 1, 1, 1}, {8, 3, 1, 1, 1, 1}, 64, 64, 0, 1857310},  // ic01_9
    {{16, 1, 2, 1, 0, 0}, {16, 1, 2, 1, 0, 0}, 32, 64, 0, 131256},  // ic01_10
    {{96, 3, 2, 1, 0, 1}, {96, 3, 2, 1, 0, 1}, 3, 8, 0, 799423},  // vww01_0
    {{48, 1, 1, 1, 0, 0}, {48, 1, 1, 1, 0, 0}, 8, 16, 0, 532396},  // vww01_2
    {{24, 1, 1, 1, 0, 0}, {24, 1, 1, 1, 0, 0}, 16, 32, 0, 357484},  // vww01_4
    {{24, 1, 1, 1, 0, 0}, {24, 1, 1, 1, 0, 0}, 32, 32, 0, 575596},  // vww01_6
    {{12, 1, 1, 1, 0, 0}, {12, 1, 1, 1, 0, 0}, 32, 64, 0, 279964},  // vww01_8
    {{12, 1, 1, 1, 0, 0}, {12, 1, 1, 1, 0, 0}, 64, 64, 0, 496540},  // vww01_10
    {{6, 1, 1, 1, 0, 0}, {6, 1, 1, 1, 0, 0}, 64, 128, 0, 245224},  // vww01_12
    {{6, 1, 1, 1, 0, 0}, {6, 1, 1, 1, 0, 0}, 128, 128, 0, 459496},  // vww01_14
    {{3, 1, 1, 1, 0, 0}, {3, 1, 1, 1, 0, 0}, 128, 256, 0, 228475},  // vww01_24
    {{12, 1, 1, 1, 0, 0}, {12, 1, 1, 1, 0, 0}, 24, 11, 0, 52540},  // odd channels
    {{14, 3, 1, 1, 0, 0}, {14, 3, 1, 1, 0, 0}, 1, 12, 0, 40068},  // one channel
    {{28, 5, 1, 1, 2, 2}, {28, 5, 1, 1, 2, 2}, 1, 8, 0, 337086},  // digits
    {{12, 3, 1, 2, 2, 2}, {12, 3, 1, 2, 2, 2}, 8, 16, 0, 212060},  // dilated
    {{1, 1, 1, 1, 0, 0}, {100, 9, 2, 1, 4, 4}, 12, 20, 0, 96073},  // 1-D
    {{20, 7, 2, 1, 3, 3}, {20, 7, 2, 1, 3, 3}, 3, 16, 0, 250093},  // 7x7
    {{4, 4, 1, 1, 0, 0}, {4, 4, 1, 1, 0, 0}, 16, 10, 0, 7060},  // one pixel
    {{10, 3, 1, 1, 1, 1}, {10, 3, 1, 1, 1, 1}, 6, 16, 0, 105838},  // words off
    {{9, 1, 1, 1, 0, 0}, {9, 1, 1, 1, 0, 0}, 7, 9, 0, 19509},  // 7 to 9
    {{7, 1, 1, 1, 0, 0}, {7, 1, 1, 1, 0, 0}, 32, 24, 1, 50257},  // add 1x1
    {{3, 1, 1, 1, 0, 0}, {3, 1, 1, 1, 0, 0}, 256, 256, 0, 441595},  // vww01_26
};
// clang-format on

std::uint16_t u16(int v) { return static_cast<std::uint16_t>(v); }

tml_conv2d_dsp_params record(const Convolution& c) {
  tml_conv2d_dsp_params p{};
  p.batches = 1;
  p.in_h = u16(c.h.in), p.in_w = u16(c.w.in), p.in_c = u16(c.in_c);
  p.out_h = c.h.out(), p.out_w = c.w.out(), p.out_c = u16(c.out_c);
  p.kernel_h = u16(c.h.kernel), p.kernel_w = u16(c.w.kernel);
  p.stride_h = u16(c.h.stride), p.stride_w = u16(c.w.stride);
  p.dilation_h = u16(c.h.dilation), p.dilation_w = u16(c.w.dilation);
  p.pad_top = u16(c.h.before), p.pad_left = u16(c.w.before);
  p.clamp_min = p.add_min = -128, p.clamp_max = p.add_max = 127;
  p.add_shift = static_cast<std::uint8_t>(c.adds);
  return p;
}

struct Dense {
  std::uint32_t in, out;
  int counted, lean;
};

const Dense kDense[] = {{640, 128, 73278, 85419}, {128, 128, 15422, 17835}, {128, 8, 1292, 1185}, {8, 128, 1934, 2027},
                        {128, 640, 75710, 88875}, {64, 12, 969, 948},       {64, 10, 1005, 981},  {256, 2, 1541, 1179}};

}  // namespace

TEST_CASE("instructions of conv2d_s8_dsp", "[device][dsp]") {
  for (const Convolution& c : kConvolutions) {
    CAPTURE(c.in_c, c.out_c, c.h.in, c.h.kernel, c.counted);
    CHECK(instructions(record(c)) == Approx(c.counted).epsilon(0.05));
  }
}

TEST_CASE("instructions of the fully connected kernels with SMLAD", "[device][dsp]") {
  for (const Dense& d : kDense) {
    tml_fully_connected_dsp_params p{};
    p.rows = 1, p.in_features = d.in, p.out_features = d.out, p.clamp_min = -128, p.clamp_max = 127;
    CAPTURE(d.in, d.out);
    CHECK(instructions(p) == Approx(d.counted).epsilon(0.05));
    CHECK(instructions_lean(p) == Approx(d.lean).epsilon(0.05));
  }
}
