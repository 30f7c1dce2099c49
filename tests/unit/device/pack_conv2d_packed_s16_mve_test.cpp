// The packed 16-bit convolution for cores with Helium in its plain C form: constants as the form packs them, against
// the reference, apart and where the form lets the output stand over the input. The assembler is tested on the emulated
// core.
#include "lib/device/pack_conv2d_packed_s16_mve.h"

#include <catch2/catch.hpp>

#include "tests/unit/runtime/s16_reference.h"

namespace tinyml::test {
namespace {

struct Axis {
  int in, kernel, stride, dilation, pad, out;
};

Axis random_axis(Random& random) {
  for (;;) {
    Axis a{static_cast<int>(random.between(1, 9)), static_cast<int>(random.between(1, 4)),
           static_cast<int>(random.between(1, 3)), static_cast<int>(random.between(1, 2)),
           static_cast<int>(random.between(0, 2)), 0};
    if (random.chance(30)) a.kernel = 1, a.pad = 0, a.stride = 1;
    const int after = random.chance(50) ? a.pad : 0, reach = (a.kernel - 1) * a.dilation + 1;
    if (a.in + a.pad + after < reach) continue;
    a.out = (a.in + a.pad + after - reach) / a.stride + 1;
    return a;
  }
}

std::uint16_t u16(int v) { return static_cast<std::uint16_t>(v); }

ConvCase16 random_case(Random& random) {
  ConvCase16 k;
  auto& p = k.p;
  const Axis h = random_axis(random), w = random_axis(random);
  p.batches = u16(random.chance(20) ? 2 : 1), p.groups = 1;
  p.in_h = u16(h.in), p.in_w = u16(w.in), p.out_h = u16(h.out), p.out_w = u16(w.out);
  p.kernel_h = u16(h.kernel), p.kernel_w = u16(w.kernel), p.stride_h = u16(h.stride), p.stride_w = u16(w.stride);
  p.dilation_h = u16(h.dilation), p.dilation_w = u16(w.dilation), p.pad_top = u16(h.pad), p.pad_left = u16(w.pad);
  p.in_c = u16(random.pick({1, 3, 8, 8, 16, 21})), p.out_c = u16(4 * static_cast<int>(random.between(1, 4)));
  p.multiplier_step = static_cast<std::uint8_t>(random.between(0, 1));
  k.clamp = random_clamp16(random);
  k.x = random_halfwords(random, std::size_t{p.batches} * p.in_h * p.in_w * p.in_c);
  k.weights = random.bytes(k.taps() * p.out_c, -127, 127);
  for (int c = 0; c < p.out_c; ++c) {
    k.bias.push_back(static_cast<std::int32_t>(random.between(-1 << 20, 1 << 20)));
    k.multipliers.push_back(static_cast<std::int32_t>(random.between(1 << 14, 1 << 26)));
  }
  k.link();
  return k;
}

LoweredStep step_of(const ConvCase16& k) {
  const auto& p = k.p;
  LoweredStep step;
  step.kernel = "tml_conv2d_s16";
  const auto tensor = [](const auto& v) {
    using T = typename std::decay_t<decltype(v)>::value_type;
    return Tensor::from<T>({static_cast<std::int64_t>(v.size())}, v);
  };
  step.fields = {{"weights", tensor(k.weights)}, {"bias", tensor(k.bias)}, {"multipliers", tensor(k.multipliers)}};
  const auto add = [&](const char* name, std::int64_t v) { step.fields.push_back({name, v}); };
  add("batches", p.batches), add("in_h", p.in_h), add("in_w", p.in_w), add("in_c", p.in_c), add("out_h", p.out_h);
  add("out_w", p.out_w), add("out_c", p.out_c), add("groups", p.groups), add("kernel_h", p.kernel_h);
  add("kernel_w", p.kernel_w), add("stride_h", p.stride_h), add("stride_w", p.stride_w);
  add("dilation_h", p.dilation_h), add("dilation_w", p.dilation_w), add("pad_top", p.pad_top);
  add("pad_left", p.pad_left), add("clamp_min", p.clamp_min), add("clamp_max", p.clamp_max);
  add("multiplier_step", p.multiplier_step), add("shift", p.shift);
  return step;
}

tml_conv2d_s16_dsp_params record_of(const StepForm& form) {
  tml_conv2d_s16_dsp_params v{};
  const auto value = [&](const char* name) { return u16(static_cast<int>(field_value(form.step, name))); };
  v.stream = field_tensor(form.step, "stream")->data<std::uint32_t>().data();
  v.batches = value("batches"), v.in_h = value("in_h"), v.in_w = value("in_w"), v.in_c = value("in_c");
  v.out_h = value("out_h"), v.out_w = value("out_w"), v.out_c = value("out_c");
  v.kernel_h = value("kernel_h"), v.kernel_w = value("kernel_w");
  v.stride_h = value("stride_h"), v.stride_w = value("stride_w");
  v.dilation_h = value("dilation_h"), v.dilation_w = value("dilation_w");
  v.pad_top = value("pad_top"), v.pad_left = value("pad_left");
  v.clamp_min = static_cast<std::int16_t>(field_value(form.step, "clamp_min"));
  v.clamp_max = static_cast<std::int16_t>(field_value(form.step, "clamp_max"));
  return v;
}

}  // namespace

TEST_CASE("conv2d_packed_s16_mve matches the reference", "[device][mve]") {
  Random random(71);
  int overlapping = 0;
  for (int i = 0; i < 1500; ++i) {
    ConvCase16 k = random_case(random);
    const auto form = conv2d_packed_s16_mve_form(step_of(k), Target::cortex_m55);
    REQUIRE(form);
    const tml_conv2d_s16_dsp_params p = record_of(*form);
    const auto expected = conv_reference16(k, false);
    const std::size_t out = 2 * k.out_size(), in = 2 * k.x.size();
    Arena apart;
    const std::uint32_t x = add_halfwords(apart, k.x), y = apart.add_output(out);
    const std::uint32_t operands[] = {x, y, apart.add_output(form->scratch_bytes)};
    REQUIRE(apart.run_with(tml_conv2d_packed_s16_mve, &p, operands) == TML_OK);
    REQUIRE(read_halfwords(apart, y, k.out_size()) == expected);
    REQUIRE(apart.guards_intact());

    if (form->step.overlaps.empty() || !form->step.overlaps[0].distance) continue;
    const auto distance = static_cast<std::int64_t>(*form->step.overlaps[0].distance);
    const std::size_t before = distance > 0 ? static_cast<std::size_t>(distance) : 0;
    Arena over;
    Bytes block(std::max(before + in, out), 85);
    std::memcpy(block.data() + before, k.x.data(), in);
    const std::uint32_t base = over.add(block);
    const std::uint32_t same[] = {base + static_cast<std::uint32_t>(before), base,
                                  over.add_output(form->scratch_bytes)};
    REQUIRE(over.run_with(tml_conv2d_packed_s16_mve, &p, same) == TML_OK);
    REQUIRE(read_halfwords(over, base, k.out_size()) == expected);
    REQUIRE(over.guards_intact());
    ++overlapping;
  }
  CHECK(overlapping > 500);
}

// Counted by scripts/kernel_tests.sh --layers conv_s16_mve.
TEST_CASE("predicted instructions of conv2d_packed_s16_mve are what QEMU counts", "[device][mve]") {
  const auto layer = [](Axis h, Axis w, int in_c, int out_c) {
    ConvCase16 k;
    auto& p = k.p;
    p.batches = p.groups = 1, p.in_c = u16(in_c), p.out_c = u16(out_c), p.multiplier_step = 1;
    p.in_h = u16(h.in), p.in_w = u16(w.in), p.out_h = u16(h.out), p.out_w = u16(w.out);
    p.kernel_h = u16(h.kernel), p.kernel_w = u16(w.kernel), p.stride_h = u16(h.stride), p.stride_w = u16(w.stride);
    p.dilation_h = u16(h.dilation), p.dilation_w = u16(w.dilation), p.pad_top = u16(h.pad), p.pad_left = u16(w.pad);
    k.weights.resize(k.taps() * p.out_c), k.bias.resize(p.out_c), k.multipliers.resize(p.out_c);
    return conv2d_packed_s16_mve_form(step_of(k), Target::cortex_m55).value().instructions.value();
  };
  CHECK(layer({49, 10, 2, 1, 4, 25}, {10, 4, 2, 1, 1, 5}, 1, 64) == Approx(123478).epsilon(0.05));
  CHECK(layer({25, 1, 1, 1, 0, 25}, {5, 1, 1, 1, 0, 5}, 64, 64) == Approx(144092).epsilon(0.05));
  CHECK(layer({32, 3, 1, 1, 1, 32}, {32, 3, 1, 1, 1, 32}, 3, 16) == Approx(347209).epsilon(0.05));
  CHECK(layer({32, 3, 1, 1, 1, 32}, {32, 3, 1, 1, 1, 32}, 16, 16) == Approx(789605).epsilon(0.05));
  CHECK(layer({32, 1, 2, 1, 0, 16}, {32, 1, 2, 1, 0, 16}, 16, 32) == Approx(63806).epsilon(0.05));
  CHECK(layer({8, 3, 1, 1, 1, 8}, {8, 3, 1, 1, 1, 8}, 64, 64) == Approx(570525).epsilon(0.05));
  CHECK(layer({48, 1, 1, 1, 0, 48}, {48, 1, 1, 1, 0, 48}, 8, 16) == Approx(274142).epsilon(0.05));
  CHECK(layer({6, 1, 1, 1, 0, 6}, {6, 1, 1, 1, 0, 6}, 128, 128) == Approx(147188).epsilon(0.05));
  CHECK(layer({1, 1, 1, 1, 0, 1}, {1, 1, 1, 1, 0, 1}, 128, 128) == Approx(8284).epsilon(0.05));
  CHECK(layer({1, 1, 1, 1, 0, 1}, {1, 1, 1, 1, 0, 1}, 8, 128) == Approx(1367).epsilon(0.05));
}

}  // namespace tinyml::test
