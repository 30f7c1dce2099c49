// The packed convolution for cores with Helium, in its plain C form: against the reference, with outputs that overlap
// their inputs, and with a residual. The assembler form is tested on the emulated core (tests/firmware/kernels).
#include "lib/device/pack_product_mve.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "lib/device/pack_conv2d_mve.h"
#include "tests/unit/runtime/conv_reference.h"

namespace tinyml::test {
namespace {

struct Axis {
  int in, kernel, stride, dilation, pad_before, pad_after;
  int out() const { return (in + pad_before + pad_after - (kernel - 1) * dilation - 1) / stride + 1; }
  bool exists() const { return in + pad_before + pad_after >= (kernel - 1) * dilation + 1; }
};

std::uint16_t u16(int v) { return static_cast<std::uint16_t>(v); }

Axis random_axis(Random& random) {
  Axis a{};
  a.in = static_cast<int>(random.between(1, 9));
  a.kernel = static_cast<int>(random.between(1, 4));
  a.stride = random.pick({1, 1, 2, 3});
  a.dilation = random.pick({1, 1, 1, 2});
  if (random.chance(70)) {
    a.pad_before = static_cast<int>(random.between(0, a.kernel + 1));
    a.pad_after = static_cast<int>(random.between(0, a.kernel + 1));
  }
  return a;
}

ConvCase make_case(Random& random, const Axis& h, const Axis& w, int in_c, int out_c) {
  ConvCase k;
  auto& p = k.p;
  p.batches = u16(random.chance(20) ? 2 : 1);
  p.in_h = u16(h.in), p.in_w = u16(w.in), p.in_c = u16(in_c);
  p.out_h = u16(h.out()), p.out_w = u16(w.out()), p.out_c = u16(out_c);
  p.groups = 1;
  p.kernel_h = u16(h.kernel), p.kernel_w = u16(w.kernel);
  p.stride_h = u16(h.stride), p.stride_w = u16(w.stride);
  p.dilation_h = u16(h.dilation), p.dilation_w = u16(w.dilation);
  p.pad_top = u16(h.pad_before), p.pad_left = u16(w.pad_before);
  p.multiplier_step = random.chance(70) ? 1 : 0;
  p.in_zero = random.zero();
  const int taps = p.kernel_h * p.kernel_w * p.in_c;
  k.out = random_output(random, 0);
  k.x = random.bytes(static_cast<std::size_t>(p.batches) * p.in_h * p.in_w * p.in_c);
  k.weights = random.bytes(static_cast<std::size_t>(taps) * p.out_c, -127, 127);
  for (int c = 0; c < p.out_c; ++c) {
    std::int64_t sum = 0;
    for (int i = 0; i < taps; ++i) sum += k.weights[static_cast<std::size_t>(c * taps + i)];
    k.bias.push_back(static_cast<std::int32_t>(random.between(-20000, 20000) - p.in_zero * sum));
    k.multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * std::sqrt(taps), 0));
  }
  k.link();
  return k;
}

std::vector<std::uint32_t> pack(const ConvCase& k) {
  const std::size_t count = k.p.multiplier_step ? k.multipliers.size() : 1;
  const std::size_t taps = std::size_t{k.p.kernel_h} * k.p.kernel_w * k.p.in_c;
  return pack_product_mve({k.weights, k.bias, std::span(k.multipliers).first(count), taps}, 4);
}

tml_conv2d_dsp_params record(const ConvCase& k, const std::vector<std::uint32_t>& packed) {
  tml_conv2d_dsp_params d{};
  const auto& p = k.p;
  d.stream = packed.data();
  d.batches = p.batches, d.in_h = p.in_h, d.in_w = p.in_w, d.in_c = p.in_c;
  d.out_h = p.out_h, d.out_w = p.out_w, d.out_c = p.out_c;
  d.kernel_h = p.kernel_h, d.kernel_w = p.kernel_w, d.stride_h = p.stride_h, d.stride_w = p.stride_w;
  d.dilation_h = p.dilation_h, d.dilation_w = p.dilation_w, d.pad_top = p.pad_top, d.pad_left = p.pad_left;
  d.in_zero = p.in_zero, d.out_zero = p.out_zero, d.clamp_min = p.clamp_min, d.clamp_max = p.clamp_max;
  return d;
}

// y = zero + ((a - a_zero) * am + (b - b_zero) * bm + half) >> shift, from tml_add_s8's definition.
Bytes add_residual(tml_conv2d_dsp_params& d, const Bytes& own, const Bytes& residual, Random& random) {
  const std::int64_t am = random.between(-100000, 200000), bm = random.between(-100000, 200000), a_zero = d.out_zero,
                     b_zero = random.zero(), shift = random.between(1, 20);
  const Output out = random_output(random, 0);
  d.add_shift = static_cast<std::uint8_t>(shift);
  d.add_multiplier = static_cast<std::int32_t>(am), d.residual_multiplier = static_cast<std::int32_t>(bm);
  d.add_bias = static_cast<std::int32_t>((std::int64_t{1} << (shift - 1)) - a_zero * am - b_zero * bm);
  d.add_zero = out.zero, d.add_min = out.low, d.add_max = out.high;
  Bytes y;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const std::int64_t sum = (own[i] - a_zero) * am + (residual[i] - b_zero) * bm;
    y.push_back(clamped(std::floor(std::ldexp(static_cast<long double>(sum), static_cast<int>(-shift)) + 0.5L), out));
  }
  return y;
}

void check(const ConvCase& k, Random& random) {
  const auto packed = pack(k);
  auto d = record(k, packed);
  Bytes expected = conv2d_reference(k), residual = random.bytes(k.out_size());
  const bool adds = random.chance(30), in_place = random.chance(50);
  if (adds) expected = add_residual(d, expected, residual, random);
  Arena arena;
  std::vector<std::uint32_t> operands{arena.add(k.x)};
  if (adds) operands.push_back(arena.add(residual));
  operands.push_back(adds && in_place ? operands.back() : arena.add_output(k.out_size()));
  operands.push_back(arena.add_output(scratch_bytes_mve(d)));
  REQUIRE(arena.run_with(tml_conv2d_s8_mve, &d, operands.data()) == TML_OK);
  CAPTURE(d.batches, d.in_h, d.in_w, d.in_c, d.out_h, d.out_w, d.out_c, int(d.add_shift));
  CAPTURE(d.kernel_h, d.kernel_w, d.stride_h, d.stride_w, d.dilation_h, d.dilation_w, d.pad_top, d.pad_left);
  REQUIRE(arena.read(operands[operands.size() - 2], k.out_size()) == expected);
  REQUIRE(arena.guards_intact());
}

void check_overlap(const ConvCase& k) {
  const auto packed = pack(k);
  const auto d = record(k, packed);
  const std::int64_t distance = output_distance_mve(d);
  const std::size_t x_at = static_cast<std::size_t>(std::max<std::int64_t>(0, distance));
  const std::size_t y_at = static_cast<std::size_t>(std::max<std::int64_t>(0, -distance));
  Bytes both(std::max(x_at + k.x.size(), y_at + k.out_size()), 1);
  std::copy(k.x.begin(), k.x.end(), both.begin() + static_cast<std::ptrdiff_t>(x_at));
  Arena arena;
  const auto at = arena.add(both), scratch = arena.add_output(scratch_bytes_mve(d));
  const std::uint32_t operands[] = {at + static_cast<std::uint32_t>(x_at), at + static_cast<std::uint32_t>(y_at),
                                    scratch};
  REQUIRE(arena.run_with(tml_conv2d_s8_mve, &d, operands) == TML_OK);
  CAPTURE(d.batches, d.in_h, d.in_w, d.in_c, d.out_h, d.out_w, d.out_c, distance);
  CAPTURE(d.kernel_h, d.kernel_w, d.stride_h, d.stride_w, d.dilation_h, d.dilation_w, d.pad_top, d.pad_left);
  REQUIRE(arena.read(operands[1], k.out_size()) == conv2d_reference(k));
}

}  // namespace

TEST_CASE("conv2d_s8_mve equals the reference on the layers of small models", "[device][mve]") {
  Random random(21);
  const Axis one{5, 1, 1, 1, 0, 0}, three{7, 3, 1, 1, 1, 1}, strided{8, 3, 2, 1, 0, 1}, skip{6, 1, 2, 1, 0, 0};
  for (const int in_c : {1, 2, 3, 4, 8, 12, 17, 32, 64})
    for (const int out_c : {1, 2, 3, 4, 5, 12, 16}) {
      check(make_case(random, one, one, in_c, out_c), random);
      check(make_case(random, three, three, in_c, out_c), random);
      check(make_case(random, strided, strided, in_c, out_c), random);
      check(make_case(random, skip, skip, in_c, out_c), random);
    }
  check(make_case(random, {49, 10, 2, 1, 4, 5}, {10, 4, 2, 1, 1, 1}, 1, 64), random);
}

TEST_CASE("conv2d_s8_mve equals the reference on random shapes", "[device][mve]") {
  Random random(22);
  for (int i = 0; i < 1500; ++i) {
    const Axis h = random_axis(random), w = random_axis(random);
    if (!h.exists() || !w.exists()) continue;
    const int in_c = random.pick({1, 2, 3, 4, 5, 8, 16, 31}), out_c = static_cast<int>(random.between(1, 9));
    check(make_case(random, h, w, in_c, out_c), random);
  }
}

TEST_CASE("conv2d_s8_mve writes over the input that it has consumed", "[device][mve]") {
  Random random(23);
  for (int i = 0; i < 1500; ++i) {
    const Axis h = random_axis(random), w = random_axis(random);
    if (!h.exists() || !w.exists()) continue;
    check_overlap(make_case(random, h, w, random.pick({1, 2, 3, 4, 8, 13, 16}), random.pick({1, 2, 3, 4, 8, 13})));
  }
}

TEST_CASE("predicted instructions of Helium convolutions", "[device][mve]") {
  // Measured by scripts/kernel_tests.sh --layers conv_mve (gcc 12.2, -O2, QEMU 7.2).
  struct Layer {
    Axis h, w;
    int in_c, out_c;
    double measured;
  };
  const Axis same32{32, 3, 1, 1, 1, 1}, half32{32, 3, 2, 1, 0, 1}, skip32{32, 1, 2, 1, 0, 0};
  const Layer layers[] = {
      {{49, 10, 2, 1, 4, 5}, {10, 4, 2, 1, 1, 1}, 1, 64, 87593},
      {{25, 1, 1, 1, 0, 0}, {5, 1, 1, 1, 0, 0}, 64, 64, 80227},
      {same32, same32, 3, 16, 161809},
      {same32, same32, 16, 16, 385829},
      {half32, half32, 16, 32, 174505},
      {{16, 3, 1, 1, 1, 1}, {16, 3, 1, 1, 1, 1}, 32, 32, 316361},
      {skip32, skip32, 16, 32, 41364},
      {{8, 3, 1, 1, 1, 1}, {8, 3, 1, 1, 1, 1}, 64, 64, 287393},
      {{96, 3, 2, 1, 0, 1}, {96, 3, 2, 1, 0, 1}, 3, 8, 224292},
      {{48, 1, 1, 1, 0, 0}, {48, 1, 1, 1, 0, 0}, 8, 16, 179988},
      {{6, 1, 1, 1, 0, 0}, {6, 1, 1, 1, 0, 0}, 128, 128, 77823},
      {{3, 1, 1, 1, 0, 0}, {3, 1, 1, 1, 0, 0}, 256, 256, 79803},
  };
  Random random(25);
  for (const Layer& layer : layers) {
    ConvCase k = make_case(random, layer.h, layer.w, layer.in_c, layer.out_c);
    k.p.batches = 1, k.p.clamp_min = -128, k.p.clamp_max = 127;
    CAPTURE(layer.in_c, layer.out_c, layer.measured);
    CHECK(instructions_mve(record(k, {})) == Approx(layer.measured).epsilon(0.05));
  }
}

}  // namespace tinyml::test
