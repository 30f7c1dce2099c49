// The packed depthwise convolution for cores with Helium, in its plain C form, against the reference, apart and in
// place; and the choice of its blocks. The assembler form is tested on the emulated core (tests/firmware/kernels).
#include "lib/device/pack_depthwise_mve.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/runtime/conv_reference.h"

namespace tinyml::test {
namespace {

struct Axis {
  int in, kernel, stride, dilation, pad_before, pad_after;
  int out() const { return (in + pad_before + pad_after - (kernel - 1) * dilation - 1) / stride + 1; }
  bool exists() const { return in + pad_before + pad_after >= (kernel - 1) * dilation + 1; }
};

Axis random_axis(Random& random) {
  Axis a{};
  a.in = static_cast<int>(random.between(1, 12));
  a.kernel = static_cast<int>(random.between(1, 4));
  a.stride = random.pick({1, 1, 2, 3});
  a.dilation = random.pick({1, 1, 1, 2});
  a.pad_before = static_cast<int>(random.between(0, a.kernel + 1));
  a.pad_after = static_cast<int>(random.between(0, a.kernel + 1));
  return a;
}

std::uint16_t u16(int v) { return static_cast<std::uint16_t>(v); }

ConvCase make_case(Random& random, const Axis& h, const Axis& w, int channels) {
  ConvCase k;
  auto& p = k.p;
  p.batches = 1;
  p.in_h = u16(h.in), p.in_w = u16(w.in), p.out_h = u16(h.out()), p.out_w = u16(w.out());
  p.in_c = p.out_c = p.groups = u16(channels);
  p.kernel_h = u16(h.kernel), p.kernel_w = u16(w.kernel), p.stride_h = u16(h.stride), p.stride_w = u16(w.stride);
  p.dilation_h = u16(h.dilation), p.dilation_w = u16(w.dilation);
  p.pad_top = u16(h.pad_before), p.pad_left = u16(w.pad_before);
  p.multiplier_step = random.chance(70) ? 1 : 0;
  p.in_zero = random.zero();
  const int taps = p.kernel_h * p.kernel_w;
  k.out = random_output(random, 0);
  k.x = random.bytes(static_cast<std::size_t>(p.in_h) * p.in_w * p.in_c);
  k.weights = random.bytes(static_cast<std::size_t>(taps * channels), -127, 127);
  for (int c = 0; c < channels; ++c) {
    k.bias.push_back(static_cast<std::int32_t>(random.between(-200000, 200000)));
    k.multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * std::sqrt(taps), 0));
  }
  k.link();
  return k;
}

tml_depthwise_mve_params record(const ConvCase& k) {
  tml_depthwise_mve_params d{};
  const auto& p = k.p;
  d.in_h = p.in_h, d.in_w = p.in_w, d.channels = p.in_c, d.out_h = p.out_h, d.out_w = p.out_w;
  d.kernel_h = p.kernel_h, d.kernel_w = p.kernel_w, d.stride_h = p.stride_h, d.stride_w = p.stride_w;
  d.dilation_h = p.dilation_h, d.dilation_w = p.dilation_w, d.pad_top = p.pad_top, d.pad_left = p.pad_left;
  d.in_zero = p.in_zero, d.out_zero = p.out_zero, d.clamp_min = p.clamp_min, d.clamp_max = p.clamp_max;
  return d;
}

bool check(Random& random, const Axis& h, const Axis& w, int channels) {
  if (!h.exists() || !w.exists()) return false;
  const ConvCase k = make_case(random, h, w, channels);
  auto d = record(k);
  if (!choose_block_mve(d)) return false;
  const std::size_t count = k.p.multiplier_step ? k.multipliers.size() : 1;
  const auto stream = pack_depthwise_mve(k.weights, k.bias, std::span(k.multipliers).first(count));
  d.stream = stream.data();
  CAPTURE(d.in_h, d.in_w, d.channels, d.out_h, d.out_w, d.kernel_h, d.kernel_w, d.stride_h, d.stride_w);
  Bytes x = k.x;
  x.resize(std::max(x.size(), k.out_size()));  // room for a larger output in place
  Arena arena;
  const auto x_at = arena.add(x), y_at = arena.add_output(k.out_size()),
             scratch = arena.add_output(scratch_bytes_mve(d));
  const std::uint32_t apart[] = {x_at, y_at, scratch}, in_place[] = {x_at, x_at, scratch};
  REQUIRE(arena.run_with(tml_depthwise_conv2d_s8_mve, &d, apart) == TML_OK);
  REQUIRE(arena.read(y_at, k.out_size()) == depthwise_reference(k));
  REQUIRE(arena.run_with(tml_depthwise_conv2d_s8_mve, &d, in_place) == TML_OK);
  REQUIRE(arena.read(x_at, k.out_size()) == depthwise_reference(k));
  REQUIRE(arena.guards_intact());
  return true;
}

}  // namespace

TEST_CASE("depthwise with gathers equals the reference", "[device][mve]") {
  Random random(51);
  for (const int channels : {1, 2, 5, 16}) {
    REQUIRE(check(random, {25, 3, 1, 1, 1, 1}, {5, 3, 1, 1, 1, 1}, channels));
    REQUIRE(check(random, {12, 3, 2, 1, 0, 1}, {12, 3, 2, 1, 0, 1}, channels));
    REQUIRE(check(random, {1, 1, 1, 1, 0, 0}, {50, 9, 1, 1, 4, 4}, channels));
    REQUIRE(check(random, {3, 3, 1, 1, 1, 1}, {3, 3, 1, 1, 1, 1}, channels));
  }
  int computed = 0;
  for (int i = 0; i < 2000; ++i)
    computed += check(random, random_axis(random), random_axis(random), static_cast<int>(random.between(1, 6))) ? 1 : 0;
  REQUIRE(computed > 500);
}

TEST_CASE("blocks of four outputs", "[device][mve]") {
  tml_depthwise_mve_params p{};
  p.in_h = p.in_w = p.out_h = p.out_w = 12, p.channels = 8;
  p.kernel_h = p.kernel_w = 3, p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.pad_top = p.pad_left = 1;
  REQUIRE(choose_block_mve(p));
  REQUIRE((p.block_h == 2 && p.halves == 1));  // 4 x 4 inputs
  p.out_h = p.out_w = 6, p.stride_h = p.stride_w = 2;
  REQUIRE(choose_block_mve(p));
  REQUIRE(p.halves == 2);  // 5 x 5 are too many
  p.kernel_h = p.kernel_w = 5;
  REQUIRE_FALSE(choose_block_mve(p));
  p.kernel_h = p.kernel_w = 3, p.in_w = 200, p.out_w = 100;
  REQUIRE_FALSE(choose_block_mve(p));  // two rows of inputs are more than 255 bytes apart
}

TEST_CASE("predicted instructions of Helium depthwise convolutions", "[device][mve]") {
  // Measured by scripts/kernel_tests.sh --layers depthwise_mve (gcc 12.2, -O2, QEMU 7.2).
  struct Layer {
    Axis h, w;
    int channels;
    double measured;
  };
  const Layer layers[] = {
      {{25, 3, 1, 1, 1, 1}, {5, 3, 1, 1, 1, 1}, 64, 58064},  {{48, 3, 1, 1, 1, 1}, {48, 3, 1, 1, 1, 1}, 8, 95991},
      {{48, 3, 2, 1, 0, 1}, {48, 3, 2, 1, 0, 1}, 16, 67672}, {{12, 3, 1, 1, 1, 1}, {12, 3, 1, 1, 1, 1}, 64, 50369},
      {{6, 3, 1, 1, 1, 1}, {6, 3, 1, 1, 1, 1}, 128, 30330},  {{6, 3, 2, 1, 0, 1}, {6, 3, 2, 1, 0, 1}, 128, 20204},
  };
  Random random(52);
  for (const Layer& layer : layers) {
    auto d = record(make_case(random, layer.h, layer.w, layer.channels));
    d.clamp_min = -128, d.clamp_max = 127;
    REQUIRE(choose_block_mve(d));
    CAPTURE(layer.channels, layer.measured);
    CHECK(instructions_mve(d) == Approx(layer.measured).epsilon(0.05));
  }
}

}  // namespace tinyml::test
