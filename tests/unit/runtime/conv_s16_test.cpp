// Convolutions with 16-bit activations against the reference; the wide one with sums beyond 32 bits.
#include <catch2/catch.hpp>

#include "tests/unit/runtime/s16_reference.h"

using namespace tinyml::test;

namespace {

struct Axis {
  int in, kernel, stride, dilation, before, out;
};

Axis random_axis(Random& random) {
  for (;;) {
    Axis a{static_cast<int>(random.between(1, 9)), static_cast<int>(random.between(1, 4)),
           static_cast<int>(random.between(1, 3)), static_cast<int>(random.between(1, 2)),
           static_cast<int>(random.between(0, 3)), 0};
    const int after = static_cast<int>(random.between(0, 3)), reach = (a.kernel - 1) * a.dilation + 1;
    if (a.in + a.before + after < reach) continue;
    a.out = (a.in + a.before + after - reach) / a.stride + 1;
    return a;
  }
}

ConvCase16 random_case(Random& random, bool depthwise, bool wide) {
  ConvCase16 k;
  auto& p = k.p;
  const Axis h = random_axis(random), w = random_axis(random);
  const int groups = static_cast<int>(depthwise ? random.between(2, 9) : random.pick({1, 1, 2, 3}));
  const int in_each = static_cast<int>(depthwise ? 1 : wide ? random.between(1, 700) : random.between(1, 9));
  const int out_each = static_cast<int>(depthwise ? random.pick({1, 1, 1, 2}) : random.between(1, 6));
  p.batches = static_cast<std::uint16_t>(random.between(1, 2));
  p.in_h = static_cast<std::uint16_t>(h.in), p.in_w = static_cast<std::uint16_t>(w.in);
  p.out_h = static_cast<std::uint16_t>(h.out), p.out_w = static_cast<std::uint16_t>(w.out);
  p.kernel_h = static_cast<std::uint16_t>(h.kernel), p.kernel_w = static_cast<std::uint16_t>(w.kernel);
  p.stride_h = static_cast<std::uint16_t>(h.stride), p.stride_w = static_cast<std::uint16_t>(w.stride);
  p.dilation_h = static_cast<std::uint16_t>(h.dilation), p.dilation_w = static_cast<std::uint16_t>(w.dilation);
  p.pad_top = static_cast<std::uint16_t>(h.before), p.pad_left = static_cast<std::uint16_t>(w.before);
  p.groups = static_cast<std::uint16_t>(groups);
  p.in_c = static_cast<std::uint16_t>(groups * in_each), p.out_c = static_cast<std::uint16_t>(groups * out_each);
  p.multiplier_step = static_cast<std::uint8_t>(random.between(0, 1));
  p.shift = static_cast<std::uint8_t>(random.chance(60) ? 0 : random.between(1, 15));
  k.clamp = random_clamp16(random);
  k.x = random_halfwords(random, static_cast<std::size_t>(p.batches) * p.in_h * p.in_w * p.in_c);
  k.weights = random.bytes(k.taps() * p.out_c, -127, 127);
  for (int c = 0; c < p.out_c; ++c) {
    k.bias.push_back(
        static_cast<std::int32_t>(wide ? random.pick({INT32_MAX, -INT32_MAX, 0}) : random.between(-1 << 20, 1 << 20)));
    const double most = 32768.0 * 127 * static_cast<double>(k.taps());
    const double factor = 65536.0 / most * static_cast<double>(random.between(1, 100)) / 10;
    k.multipliers.push_back(static_cast<std::int32_t>(std::min(std::ldexp(factor, 32 - p.shift), 2147483647.0)));
    if (random.chance(5)) k.multipliers.back() = -k.multipliers.back();
  }
  k.link();
  return k;
}

void check(tml_kernel kernel, const ConvCase16& k, bool depthwise) {
  Arena arena;
  add_halfwords(arena, k.x);
  const std::uint32_t y = arena.add_output(2 * k.out_size());
  REQUIRE(arena.run(kernel, &k.p) == TML_OK);
  REQUIRE(read_halfwords(arena, y, k.out_size()) == conv_reference16(k, depthwise));
  REQUIRE(arena.guards_intact());
}

}  // namespace

TEST_CASE("convolutions of 16-bit activations match the reference", "[runtime]") {
  Random random(161);
  for (int i = 0; i < 1500; ++i) check(tml_conv2d_s16, random_case(random, false, false), false);
}

TEST_CASE("wide convolutions of 16-bit activations match the reference beyond 32 bits", "[runtime]") {
  Random random(162);
  for (int i = 0; i < 150; ++i) check(tml_conv2d_wide_s16, random_case(random, false, true), false);
  for (int i = 0; i < 300; ++i) check(tml_conv2d_wide_s16, random_case(random, false, false), false);
}

TEST_CASE("depthwise convolutions of 16-bit activations match the reference", "[runtime]") {
  Random random(163);
  for (int i = 0; i < 1500; ++i) check(tml_depthwise_conv2d_s16, random_case(random, true, false), true);
}

TEST_CASE("the Helium forms of 16-bit convolutions match the reference in plain C too", "[runtime]") {
  Random random(164);
  int convolutions = 0, depthwise = 0;
  for (int i = 0; i < 1500; ++i) {
    ConvCase16 k = random_case(random, false, false);
    if (k.p.groups != 1 || k.p.out_c < 4 || k.p.shift != 0) continue;
    check(tml_conv2d_s16_mve, k, false);
    ++convolutions;
  }
  for (int i = 0; i < 1500; ++i) {
    ConvCase16 k = random_case(random, true, false);
    if (k.p.out_c != k.p.in_c || k.p.out_c < 8 || k.p.shift != 0) continue;
    check(tml_depthwise_conv2d_s16_mve, k, true);
    ++depthwise;
  }
  CHECK(convolutions > 50);
  CHECK(depthwise > 50);
}
