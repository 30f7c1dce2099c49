// depthwise_dsp_test.cpp: the 3x3 depthwise kernels for the DSP extension, in their plain C form, against the 64-bit
// reference: shapes, paddings, strides, bands of every size, few channels, and the output in place of the input.
#include "lib/device/pack_depthwise_dsp.h"

#include <catch2/catch.hpp>

#include "lib/device/channel_words.h"
#include "lib/device/pack_pool_dsp.h"
#include "tests/unit/runtime/conv_reference.h"

namespace tinyml::test {
namespace {

std::uint16_t u16(std::int64_t v) { return static_cast<std::uint16_t>(v); }

struct DspCase {
  ConvCase k;
  DepthwiseDspShape shape;
  tml_depthwise_dsp_params p{};
  Bytes packed;
  int band_rows = 0;

  DspCase(Random& random, int stride, int in_h, int in_w, int channels, int pad_top, int pad_left, int pad_end) {
    shape = {stride,
             in_h,
             in_w,
             (in_h + pad_top + pad_end - 3) / stride + 1,
             (in_w + pad_left + pad_end - 3) / stride + 1,
             channels,
             pad_top,
             pad_left,
             false};
    auto& c = k.p;
    c.batches = u16(random.chance(20) ? 2 : 1);
    c.in_h = u16(in_h), c.in_w = u16(in_w), c.in_c = u16(channels);
    c.out_h = u16(shape.out_h), c.out_w = u16(shape.out_w), c.out_c = c.groups = u16(channels);
    c.kernel_h = c.kernel_w = 3;
    c.stride_h = c.stride_w = u16(stride);
    c.dilation_h = c.dilation_w = 1;
    c.pad_top = u16(pad_top), c.pad_left = u16(pad_left);
    c.multiplier_step = random.chance(80) ? 1 : 0;
    c.in_zero = random.zero();
    fill(random);
  }

  void fill(Random& random) {
    const auto channels = static_cast<std::size_t>(k.p.out_c);
    k.out = random_output(random, 0);
    k.x = random.bytes(static_cast<std::size_t>(k.p.batches) * k.p.in_h * k.p.in_w * channels);
    const Bytes canonical = random.bytes(9 * channels, -127, 127);
    k.weights.resize(9 * channels);
    for (std::size_t c = 0; c < channels; ++c) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < 9; ++i) sum += k.weights[i * channels + c] = canonical[c * 9 + i];
      k.bias.push_back(static_cast<std::int32_t>(random.between(-20000, 20000) - k.p.in_zero * sum));
      k.multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * 3.0, 0));
    }
    const bool is_short = k.p.multiplier_step && random.chance(50);
    if (is_short) shorten(random, k.multipliers, k.bias);
    k.link();
    const auto multipliers = std::span<const std::int32_t>(k.multipliers).first(k.p.multiplier_step ? channels : 0);
    const auto codes = is_short ? channel_codes(k.bias, multipliers) : std::nullopt;
    REQUIRE(codes.has_value() == is_short);
    packed = codes ? pack_depthwise_dsp_short(canonical, k.bias, codes->codes)
                   : pack_depthwise_dsp(canonical, k.bias, multipliers);
    p.code_shift = codes ? static_cast<std::uint8_t>(codes->shift) : std::uint8_t{0};
    p.stream = packed.data(), p.multiplier = k.multipliers[0];
    p.batches = k.p.batches, p.in_h = k.p.in_h, p.in_w = k.p.in_w, p.channels = k.p.in_c;
    p.out_h = k.p.out_h, p.out_w = k.p.out_w, p.pad_top = k.p.pad_top, p.pad_left = k.p.pad_left;
    p.multiplier_step = k.p.multiplier_step, p.in_zero = k.p.in_zero, p.out_zero = k.out.zero;
    p.clamp_min = k.out.low, p.clamp_max = k.out.high;
  }

  tml_kernel kernel() const { return shape.stride == 1 ? tml_depthwise3x3_s8_dsp : tml_depthwise3x3_stride2_s8_dsp; }
  bool may_be_in_place() const { return p.out_h <= p.in_h && p.out_w <= p.in_w && p.pad_top <= 2; }

  void check(Random& random) {
    const int least = shape.stride == 1 ? 2 : 1;
    const int rows = static_cast<int>(random.between(1, (shape.out_h + 1) / least + 1)) * least;
    CAPTURE(shape.stride, shape.in_h, shape.in_w, shape.out_h, shape.out_w, shape.channels, shape.pad_top);
    CAPTURE(shape.pad_left, rows, int(p.in_zero), p.batches);
    p.band_rows = u16(rows);
    const Bytes expected = depthwise_reference(k);
    const Bytes scratch(depthwise_dsp_scratch(shape, rows), static_cast<std::int8_t>(random.between(-128, 127)));
    Arena arena;
    const auto x = arena.add(k.x);
    const auto y = arena.add_output(k.out_size());
    const auto z = arena.add(scratch);
    REQUIRE(arena.run(kernel(), &p) == TML_OK);
    REQUIRE(arena.read(y, k.out_size()) == expected);
    REQUIRE(arena.read(x, k.x.size()) == k.x);
    REQUIRE(arena.guards_intact());
    if (!may_be_in_place()) return;
    const std::uint32_t operands[] = {x, x, z};
    REQUIRE(arena.run_with(kernel(), &p, operands) == TML_OK);
    REQUIRE(arena.read(x, k.out_size()) == expected);
    REQUIRE(arena.guards_intact());
  }
};

}  // namespace

TEST_CASE("depthwise 3x3 for the DSP extension equals the reference on the layers of small models", "[runtime]") {
  Random random(11);
  for (const int stride : {1, 2}) {
    for (const int channels : {4, 5, 8, 64}) {
      for (const auto& size : {std::pair{25, 5}, {6, 6}, {3, 3}, {7, 12}, {1, 9}, {9, 1}, {12, 48}}) {
        DspCase(random, stride, size.first, size.second, channels, 1, 1, 1).check(random);
        DspCase(random, stride, size.first, size.second, channels, 1, 1, 2).check(random);
        if (size.first > 2 && size.second > 2) {
          DspCase(random, stride, size.first, size.second, channels, 0, 0, 0).check(random);
          DspCase(random, stride, size.first, size.second, channels, 0, 0, 1).check(random);
        }
      }
    }
  }
}

TEST_CASE("depthwise 3x3 for the DSP extension equals the reference on random shapes", "[runtime]") {
  Random random(12);
  for (int i = 0; i < 2000; ++i) {
    const int h = static_cast<int>(random.between(1, 15)), w = static_cast<int>(random.between(1, 15));
    const int top = static_cast<int>(random.between(0, 4)), left = static_cast<int>(random.between(0, 4));
    const int end = static_cast<int>(random.between(2, 5));
    DspCase(random, random.pick({1, 2}), h, w, static_cast<int>(random.between(4, 13)), top, left, end).check(random);
  }
}

TEST_CASE("the cost of depthwise 3x3 for the DSP extension is what QEMU counts", "[device]") {
  // scripts/kernel_tests.sh --layers depthwise_dsp
  CHECK(depthwise_dsp_cost({1, 25, 5, 25, 5, 64, 1, 1}, 25) == Approx(163745).epsilon(0.02));
  CHECK(depthwise_dsp_cost({2, 48, 48, 24, 24, 16, 0, 0}, 5) == Approx(216399).epsilon(0.02));
  CHECK(depthwise_dsp_cost({1, 3, 3, 3, 3, 256, 1, 1}, 3) == Approx(95333).epsilon(0.02));
  CHECK(depthwise_dsp_cost({1, 48, 48, 48, 48, 8, 1, 1}, 12) == Approx(284344).epsilon(0.02));
}

TEST_CASE("a lowered depthwise step takes the form of the DSP kernels", "[device]") {
  const auto step = [](std::int64_t stride, std::int64_t channels, std::int64_t shift, bool is_short = false) {
    LoweredStep s;
    s.kernel = "tml_depthwise_conv2d_s8";
    std::vector<std::int8_t> weights(static_cast<std::size_t>(9 * channels));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::int8_t>(i % 127);
    // Of the codes 512 and 256 with shift 10 (kernels/channel_word.h), or of no code.
    const auto of_code = [](std::int64_t code) {
      return static_cast<std::int32_t>((code * 4194304 + 0x155500 + 10) >> 10);
    };
    std::vector<std::int32_t> multipliers(static_cast<std::size_t>(channels), is_short ? of_code(256) : 1 << 20);
    multipliers[0] = is_short ? of_code(512) : (1 << 20) + 1;
    s.fields = {{"weights", Tensor::from<std::int8_t>({3, 3, channels}, weights)},
                {"bias", Tensor(DType::i32, {channels})},
                {"multipliers", Tensor::from<std::int32_t>({channels}, multipliers)},
                {"multiplier_step", std::int64_t{1}},
                {"kernel_h", std::int64_t{3}},
                {"kernel_w", std::int64_t{3}},
                {"stride_h", stride},
                {"stride_w", stride},
                {"dilation_h", std::int64_t{1}},
                {"dilation_w", std::int64_t{1}},
                {"in_c", channels},
                {"out_c", channels},
                {"batches", std::int64_t{1}},
                {"in_h", std::int64_t{48}},
                {"in_w", std::int64_t{48}},
                {"out_h", 48 / stride},
                {"out_w", 48 / stride},
                {"clamp_min", std::int64_t{-128}},
                {"clamp_max", std::int64_t{127}},
                {"shift", shift}};
    return s;
  };
  const auto form = depthwise_stride2_dsp_form(step(2, 16, 0), Target::cortex_m4);
  REQUIRE(form);
  CHECK(form->scratch_bytes == 4800);
  CHECK(form->step.in_place == std::vector<std::size_t>{0});
  const auto stream = field_tensor(form->step, "stream")->data<std::int8_t>();
  REQUIRE(stream.size() == 17 * 16);
  // Channel 1's taps 00 01 10 11 02 21 12 20 22 stand at row-major places 0 1 3 4 2 7 5 6 8 of 16 channels each.
  for (std::size_t i = 0; i < 9; ++i) {
    const std::size_t place[] = {0, 1, 3, 4, 2, 7, 5, 6, 8};
    CHECK(stream[17 + 8 + i] == static_cast<std::int8_t>((place[i] * 16 + 1) % 127));
  }
  const auto with_words = depthwise_stride2_dsp_form(step(2, 16, 0, true), Target::cortex_m4);
  REQUIRE(with_words);
  CHECK(field_tensor(with_words->step, "stream")->size() == 13 * 16);
  CHECK(field_value(with_words->step, "code_shift") == 10);
  CHECK(depthwise_stride2_dsp_small_form(step(2, 16, 0), Target::cortex_m4)->scratch_bytes == 1600);
  CHECK_FALSE(depthwise_dsp_form(step(2, 16, 0), Target::cortex_m4));
  CHECK_FALSE(depthwise_dsp_form(step(1, 3, 0), Target::cortex_m4));
  CHECK_FALSE(depthwise_dsp_form(step(1, 16, 1), Target::cortex_m4));
  CHECK(depthwise_dsp_form(step(1, 16, 0), Target::cortex_m4)->step.kernel == "tml_depthwise3x3_s8_dsp");
}

TEST_CASE("the rows of a band keep the scratch within its budget", "[device]") {
  const DepthwiseDspShape large{2, 48, 48, 24, 24, 16, 0, 0, false};
  const int rows = depthwise_dsp_band_rows(large, 5000);
  CHECK(rows == 5);
  CHECK(depthwise_dsp_scratch(large, rows) <= 5000);
  CHECK(depthwise_dsp_band_rows(large, 0) == 1);
  CHECK(depthwise_dsp_scratch(large, 1) == 1600);
  const DepthwiseDspShape small{1, 25, 5, 25, 5, 64, 1, 1, false};
  CHECK(depthwise_dsp_band_rows(small, 5000) == 25);
  CHECK(depthwise_dsp_scratch(small, 25) == 1792);
  CHECK(depthwise_dsp_band_rows(small, 1000) == 10);
  CHECK(depthwise_dsp_scratch(small, 10) == 768);
}

}  // namespace tinyml::test
