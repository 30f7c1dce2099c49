// The packed convolution for cores with the DSP extension, in its plain C form: against the reference, with outputs
// that overlap their inputs, and with a residual; and what the packer refuses. The assembler form is tested on the
// emulated core (tests/firmware/kernels).
#include "lib/device/pack_product_dsp.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "lib/device/channel_words.h"
#include "lib/device/pack_conv2d_dsp.h"
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

ConvCase make_case(Random& random, const Axis& h, const Axis& w, int in_c, int out_c, bool is_short = false) {
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
  k.out = random_output(random, !is_short && random.chance(40) ? 8 : 0);
  k.x = random.bytes(static_cast<std::size_t>(p.batches) * p.in_h * p.in_w * p.in_c);
  k.weights = random.bytes(static_cast<std::size_t>(taps) * p.out_c, -127, 127);
  for (int c = 0; c < p.out_c; ++c) {
    std::int64_t sum = 0;
    for (int i = 0; i < taps; ++i) sum += k.weights[static_cast<std::size_t>(c * taps + i)];
    const bool is_dead = k.out.shift == 0 && random.chance(5);  // tiny weights leave a bias of many steps
    k.bias.push_back(static_cast<std::int32_t>(is_dead ? random.between(-(1 << 30), 1 << 30)
                                                       : random.between(-20000, 20000) - p.in_zero * sum));
    k.multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * std::sqrt(taps), k.out.shift));
  }
  if (is_short) shorten(random, k.multipliers, k.bias);
  k.link();
  return k;
}

std::span<const std::int32_t> multipliers_of(const ConvCase& k) {
  return std::span(k.multipliers).first(k.p.multiplier_step ? k.multipliers.size() : 1);
}

std::optional<std::vector<std::uint32_t>> pack(const ConvCase& k, std::span<const std::uint32_t> codes = {}) {
  const std::size_t taps = std::size_t{k.p.kernel_h} * k.p.kernel_w * k.p.in_c;
  return pack_product_dsp({k.weights, k.bias, multipliers_of(k), taps, 2, k.out.shift, codes});
}

tml_conv2d_dsp_params record(const ConvCase& k, const std::vector<std::uint32_t>& packed) {
  tml_conv2d_dsp_params d{};
  const auto& p = k.p;
  d.stream = packed.data();
  d.batches = p.batches, d.in_h = p.in_h, d.in_w = p.in_w, d.in_c = p.in_c;
  d.out_h = p.out_h, d.out_w = p.out_w, d.out_c = p.out_c;
  d.kernel_h = p.kernel_h, d.kernel_w = p.kernel_w, d.stride_h = p.stride_h, d.stride_w = p.stride_w;
  d.dilation_h = p.dilation_h, d.dilation_w = p.dilation_w, d.pad_top = p.pad_top, d.pad_left = p.pad_left;
  d.shift = p.shift, d.in_zero = p.in_zero, d.out_zero = p.out_zero, d.clamp_min = p.clamp_min,
  d.clamp_max = p.clamp_max;
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

void check_packed(const ConvCase& k, const std::vector<std::uint32_t>& packed, tml_kernel kernel, int shift,
                  Random& random) {
  auto d = record(k, packed);
  d.shift = static_cast<std::uint8_t>(shift);
  Bytes expected = conv2d_reference(k), residual = random.bytes(k.out_size());
  const bool adds = random.chance(30), in_place = random.chance(50);
  if (adds) expected = add_residual(d, expected, residual, random);
  Arena arena;
  std::vector<std::uint32_t> operands{arena.add(k.x)};
  if (adds) operands.push_back(arena.add(residual));
  operands.push_back(adds && in_place ? operands.back() : arena.add_output(k.out_size()));
  operands.push_back(arena.add_output(scratch_bytes(d)));
  REQUIRE(arena.run_with(kernel, &d, operands.data()) == TML_OK);
  CAPTURE(d.batches, d.in_h, d.in_w, d.in_c, d.out_h, d.out_w, d.out_c, int(d.add_shift));
  CAPTURE(d.kernel_h, d.kernel_w, d.stride_h, d.stride_w, d.dilation_h, d.dilation_w, d.pad_top, d.pad_left);
  REQUIRE(arena.read(operands[operands.size() - 2], k.out_size()) == expected);
  REQUIRE(arena.guards_intact());
}

void check(const ConvCase& k, Random& random) {
  const auto packed = pack(k);
  const int taps = k.p.kernel_h * k.p.kernel_w * k.p.in_c;
  REQUIRE((packed || taps > 500 || k.p.shift > 0));
  if (packed) check_packed(k, *packed, tml_conv2d_s8_dsp, k.p.shift, random);
}

// With channel words.
void check_short(const ConvCase& k, Random& random) {
  const auto codes = channel_codes(k.bias, multipliers_of(k));
  REQUIRE(codes);
  const auto packed = pack(k, codes->codes);
  REQUIRE((packed || k.p.kernel_h * k.p.kernel_w * k.p.in_c > 500));
  if (packed) check_packed(k, *packed, tml_conv2d_short_s8_dsp, codes->shift, random);
}

void check_overlap(const ConvCase& k) {
  const auto packed = pack(k);
  REQUIRE(packed);
  const auto d = record(k, *packed);
  const std::int64_t distance = output_distance(d);
  const std::size_t x_at = static_cast<std::size_t>(std::max<std::int64_t>(0, distance));
  const std::size_t y_at = static_cast<std::size_t>(std::max<std::int64_t>(0, -distance));
  Bytes both(std::max(x_at + k.x.size(), y_at + k.out_size()), 1);
  std::copy(k.x.begin(), k.x.end(), both.begin() + static_cast<std::ptrdiff_t>(x_at));
  Arena arena;
  const auto at = arena.add(both), scratch = arena.add_output(scratch_bytes(d));
  const std::uint32_t operands[] = {at + static_cast<std::uint32_t>(x_at), at + static_cast<std::uint32_t>(y_at),
                                    scratch};
  REQUIRE(arena.run_with(tml_conv2d_s8_dsp, &d, operands) == TML_OK);
  CAPTURE(d.batches, d.in_h, d.in_w, d.in_c, d.out_h, d.out_w, d.out_c, distance);
  CAPTURE(d.kernel_h, d.kernel_w, d.stride_h, d.stride_w, d.dilation_h, d.dilation_w, d.pad_top, d.pad_left);
  REQUIRE(arena.read(operands[1], k.out_size()) == conv2d_reference(k));
}

}  // namespace

TEST_CASE("conv2d_s8_dsp equals the reference on the layers of small models", "[device][dsp]") {
  Random random(21);
  const Axis one{5, 1, 1, 1, 0, 0}, three{7, 3, 1, 1, 1, 1}, strided{8, 3, 2, 1, 0, 1}, skip{6, 1, 2, 1, 0, 0};
  for (const int in_c : {1, 2, 3, 4, 8, 12, 17, 32, 64})
    for (const int out_c : {1, 2, 3, 4, 5, 12, 16}) {
      check(make_case(random, one, one, in_c, out_c), random);
      check(make_case(random, three, three, in_c, out_c), random);
      check(make_case(random, strided, strided, in_c, out_c), random);
      check(make_case(random, skip, skip, in_c, out_c), random);
      check_short(make_case(random, one, one, in_c, out_c, true), random);
      check_short(make_case(random, three, three, in_c, out_c, true), random);
    }
  check(make_case(random, {49, 10, 2, 1, 4, 5}, {10, 4, 2, 1, 1, 1}, 1, 64), random);
}

TEST_CASE("conv2d_s8_dsp equals the reference on random shapes", "[device][dsp]") {
  Random random(22);
  for (int i = 0; i < 1500; ++i) {
    const Axis h = random_axis(random), w = random_axis(random);
    if (!h.exists() || !w.exists()) continue;
    const int in_c = random.pick({1, 2, 3, 4, 5, 8, 16, 31}), out_c = static_cast<int>(random.between(1, 9));
    check(make_case(random, h, w, in_c, out_c), random);
    check_short(make_case(random, h, w, in_c, out_c, true), random);
  }
}

TEST_CASE("conv2d_s8_dsp writes over the input that it has consumed", "[device][dsp]") {
  Random random(23);
  for (int i = 0; i < 1500; ++i) {
    const Axis h = random_axis(random), w = random_axis(random);
    if (!h.exists() || !w.exists()) continue;
    check_overlap(make_case(random, h, w, random.pick({1, 2, 3, 4, 8, 13}), random.pick({1, 2, 3, 4, 8, 13})));
  }
}

TEST_CASE("a 1x1 convolution that halves its channels runs in place", "[device][dsp]") {
  Random random(24);
  const Axis h{6, 1, 1, 1, 0, 0}, w{5, 1, 1, 1, 0, 0};
  auto k = make_case(random, h, w, 16, 8);
  REQUIRE(output_distance(record(k, *pack(k))) <= 0);
  k = make_case(random, h, w, 8, 16);
  REQUIRE(output_distance(record(k, *pack(k))) > 0);
}

TEST_CASE("the packer refuses sums of more than 24 bits in odd channels", "[device][dsp]") {
  constexpr std::size_t kTaps = 1032;  // 127 * 127 * 520 < 2^23 < 127 * 128 * 516
  const std::int32_t bias[] = {2000000000, 0}, multipliers[] = {1 << 20};
  Bytes weights(2 * kTaps, 0);
  const auto packs = [&] { return pack_product_dsp({weights, bias, multipliers, kTaps, 2}).has_value(); };
  std::fill(weights.begin(), weights.end(), std::int8_t{64});
  weights[kTaps] = 63;
  weights[kTaps + 1] = 63;
  // 128 * (64 * 1030 + 126) = 2^23 + 65,536 - 384 * ...: over; with fewer taps under.
  REQUIRE(!packs());
  std::fill(weights.begin() + kTaps, weights.end(), std::int8_t{63});
  REQUIRE(packs());  // 128 * 63 * 1032 = 8,322,048 < 8,388,608
}

TEST_CASE("the packer refuses -128 in an odd channel beside a weight below zero", "[device][dsp]") {
  const std::int32_t bias[] = {0, 0}, multipliers[] = {1 << 20};
  const auto packs = [&](std::int8_t even, std::int8_t odd) {
    const Bytes weights{0, even, 0, odd};  // 256 * odd + even must be at least -2^15
    return pack_product_dsp({weights, bias, multipliers, 2, 2}).has_value();
  };
  CHECK_FALSE(packs(-1, -128));
  CHECK(packs(0, -128));
  CHECK(packs(-128, -127));
}

}  // namespace tinyml::test
