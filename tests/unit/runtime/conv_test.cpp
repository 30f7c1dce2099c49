// conv_test.cpp: conv2d, depthwise and transposed convolution against the reference, bit for bit, on a grid of shapes
// (every way through the kernels: dense runs, small windows, rows with padding, groups, dilation) and on random ones.
#include <catch2/catch.hpp>

#include "tests/unit/runtime/conv_reference.h"

namespace tinyml::test {
namespace {

struct Axis {
  int in, kernel, stride, dilation, pad_before, pad_after;
};

int conv_extent(const Axis& a) {
  return (a.in + a.pad_before + a.pad_after - (a.kernel - 1) * a.dilation - 1) / a.stride + 1;
}

bool conv_exists(const Axis& a) { return a.in + a.pad_before + a.pad_after >= (a.kernel - 1) * a.dilation + 1; }

int transpose_extent(const Axis& a) {
  return (a.in - 1) * a.stride + (a.kernel - 1) * a.dilation + 1 - a.pad_before - a.pad_after;
}

std::uint16_t u16(int v) { return static_cast<std::uint16_t>(v); }

ConvCase make_case(Random& random, const Axis& h, const Axis& w, int in_c, int out_c, int groups) {
  ConvCase k;
  auto& p = k.p;
  p.batches = u16(random.chance(20) ? 2 : 1);
  p.in_h = u16(h.in), p.in_w = u16(w.in), p.in_c = u16(in_c);
  p.out_h = u16(conv_extent(h)), p.out_w = u16(conv_extent(w)), p.out_c = u16(out_c);
  p.groups = u16(groups);
  p.kernel_h = u16(h.kernel), p.kernel_w = u16(w.kernel);
  p.stride_h = u16(h.stride), p.stride_w = u16(w.stride);
  p.dilation_h = u16(h.dilation), p.dilation_w = u16(w.dilation);
  p.pad_top = u16(h.pad_before), p.pad_left = u16(w.pad_before);
  p.multiplier_step = random.chance(70) ? 1 : 0;
  p.in_zero = random.zero();
  return k;
}

// Data of the right sizes, and multipliers that spread the results over the int8 range.
void fill(ConvCase& k, Random& random, bool transposed) {
  auto& p = k.p;
  const int taps = p.kernel_h * p.kernel_w * (p.in_c / p.groups);
  k.out = random_output(random, random.chance(80) ? 2 : 23);
  k.x = random.bytes(static_cast<std::size_t>(p.batches) * p.in_h * p.in_w * p.in_c);
  k.weights = random.bytes(static_cast<std::size_t>(taps) * p.out_c, -127, 127);
  for (int c = 0; c < p.out_c; ++c) {
    std::int64_t sum = 0;
    for (int i = 0; i < taps; ++i) sum += k.weights[static_cast<std::size_t>(c * taps + i)];
    k.bias.push_back(static_cast<std::int32_t>(random.between(-20000, 20000) - (transposed ? 0 : p.in_zero * sum)));
    k.multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * std::sqrt(taps), k.out.shift));
  }
  k.link();
}

void check(ConvCase& k, tml_kernel kernel, const Bytes& expected) {
  Arena arena;
  arena.add(k.x);
  const auto y = arena.add_output(k.out_size());
  REQUIRE(arena.run(kernel, &k.p) == TML_OK);
  CAPTURE(k.p.in_h, k.p.in_w, k.p.in_c, k.p.out_h, k.p.out_w, k.p.out_c, k.p.groups);
  CAPTURE(k.p.kernel_h, k.p.kernel_w, k.p.stride_h, k.p.stride_w, k.p.dilation_h, k.p.dilation_w);
  CAPTURE(k.p.pad_top, k.p.pad_left, int(k.p.in_zero), int(k.p.shift));
  REQUIRE(arena.read(y, k.out_size()) == expected);
  REQUIRE(arena.guards_intact());
}

void check_conv(Random& random, const Axis& h, const Axis& w, int in_c, int out_c, int groups) {
  if (!conv_exists(h) || !conv_exists(w)) return;
  auto k = make_case(random, h, w, in_c, out_c, groups);
  fill(k, random, false);
  check(k, tml_conv2d_s8, conv2d_reference(k));
}

void check_depthwise(Random& random, const Axis& h, const Axis& w, int in_c, int ratio) {
  if (!conv_exists(h) || !conv_exists(w)) return;
  auto k = make_case(random, h, w, in_c, in_c * ratio, in_c);
  fill(k, random, false);
  const Bytes expected = depthwise_reference(k);
  check(k, tml_depthwise_conv2d_s8, expected);
  check(k, tml_depthwise_conv2d_s8_named_lanes, expected);
}

void check_transpose(Random& random, const Axis& h, const Axis& w, int in_c, int out_c, int groups) {
  if (transpose_extent(h) < 1 || transpose_extent(w) < 1) return;
  auto k = make_case(random, h, w, in_c, out_c, groups);
  k.p.out_h = u16(transpose_extent(h)), k.p.out_w = u16(transpose_extent(w));
  fill(k, random, true);
  check(k, tml_conv_transpose2d_s8, conv_transpose_reference(k));
}

Axis random_axis(Random& random) {
  Axis a{};
  a.in = static_cast<int>(random.between(1, 11));
  a.kernel = static_cast<int>(random.between(1, 5));
  a.stride = random.pick({1, 1, 2, 3});
  a.dilation = random.pick({1, 1, 1, 2, 3});
  a.pad_before = static_cast<int>(random.between(0, a.kernel + 1));
  a.pad_after = static_cast<int>(random.between(0, a.kernel + 1));
  return a;
}

}  // namespace

TEST_CASE("conv2d equals the reference on the layers of small models", "[runtime]") {
  Random random(1);
  const Axis one{5, 1, 1, 1, 0, 0}, three{7, 3, 1, 1, 1, 1}, strided{9, 3, 2, 1, 0, 1}, wide{12, 10, 2, 1, 4, 5};
  for (const int in_c : {1, 2, 3, 4, 8, 16, 17, 32, 64}) {
    for (const int out_c : {1, 2, 3, 4, 5, 12, 16}) {
      check_conv(random, one, one, in_c, out_c, 1);
      check_conv(random, three, three, in_c, out_c, 1);
      check_conv(random, strided, strided, in_c, out_c, 1);
      check_conv(random, strided, one, in_c, out_c, 1);
    }
  }
  check_conv(random, wide, {5, 4, 2, 1, 1, 1}, 1, 64, 1);
  check_conv(random, {1, 1, 1, 1, 0, 0}, {40, 7, 1, 1, 3, 3}, 24, 9, 1);  // 1-D
}

TEST_CASE("conv2d equals the reference on random shapes", "[runtime]") {
  Random random(2);
  for (int i = 0; i < 1500; ++i) {
    const int groups = random.pick({1, 1, 1, 2, 3}), depth = random.pick({1, 2, 3, 5, 16, 31});
    check_conv(random, random_axis(random), random_axis(random), groups * depth,
               groups * static_cast<int>(random.between(1, 6)), groups);
  }
}

TEST_CASE("conv2d keeps to the bounds of its accumulator", "[runtime]") {
  Random random(3);
  auto k = make_case(random, {9, 9, 1, 1, 0, 0}, {9, 9, 1, 1, 0, 0}, 400, 4, 1);
  fill(k, random, false);
  k.x.assign(k.x.size(), -128);
  k.weights.assign(k.weights.size(), -127);
  for (std::size_t i = 0; i < k.weights.size() / 4; ++i) k.weights[i] = 127;
  k.bias = {-1000000000, 1000000000, 2000000, 0};
  k.link();
  check(k, tml_conv2d_s8, conv2d_reference(k));
}

TEST_CASE("depthwise_conv2d equals the reference", "[runtime]") {
  Random random(4);
  for (const int channels : {1, 2, 3, 4, 5, 7, 8, 9, 16, 19, 64}) {
    check_depthwise(random, {7, 3, 1, 1, 1, 1}, {6, 3, 1, 1, 1, 1}, channels, 1);
    check_depthwise(random, {9, 3, 2, 1, 0, 1}, {8, 3, 2, 1, 0, 1}, channels, 1);
    check_depthwise(random, {25, 25, 1, 1, 0, 0}, {5, 5, 1, 1, 0, 0}, channels, 1);
    check_depthwise(random, {7, 3, 1, 1, 1, 1}, {6, 5, 1, 1, 2, 2}, channels, 3);
  }
  for (int i = 0; i < 1500; ++i) {
    check_depthwise(random, random_axis(random), random_axis(random), static_cast<int>(random.between(1, 20)),
                    random.pick({1, 1, 1, 2, 4}));
  }
}

TEST_CASE("conv_transpose2d equals the scattering reference", "[runtime]") {
  Random random(5);
  check_transpose(random, {4, 2, 2, 1, 0, 0}, {4, 2, 2, 1, 0, 0}, 16, 8, 1);
  check_transpose(random, {5, 3, 2, 1, 1, 1}, {5, 3, 2, 1, 1, 1}, 5, 3, 1);
  for (int i = 0; i < 800; ++i) {
    const int groups = random.pick({1, 1, 2, 3});
    check_transpose(random, random_axis(random), random_axis(random), groups * random.pick({1, 2, 7, 16}),
                    groups * static_cast<int>(random.between(1, 6)), groups);
  }
}

}  // namespace tinyml::test
