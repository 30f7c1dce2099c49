// The packed fully connected forms for cores with the DSP extension, in their plain C form, against 64-bit sums; and
// rows as a 1x1 convolution. The assembler forms are tested on the emulated core (tests/firmware/kernels).
#include "lib/device/pack_fully_connected_dsp.h"

#include <catch2/catch.hpp>

#include "lib/device/channel_words.h"
#include "lib/device/pack_product_dsp.h"
#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

struct Case {
  tml_fully_connected_dsp_params p{};
  tml_kernel kernel = tml_fully_connected_s8_dsp, lean = tml_fully_connected_lean_s8_dsp;
  std::vector<std::uint32_t> stream;
  Bytes x, expected;
};

// An empty stream where the sums may need more than 24 bits.
Case make_case(Random& random, std::uint32_t rows, std::uint32_t in, std::uint32_t out, bool is_short = false) {
  Case k;
  const Output output = random_output(random, 0);
  const std::int64_t in_zero = random.zero();
  const Bytes weights = random.bytes(std::size_t{in} * out, -127, 127);
  k.x = random.bytes(std::size_t{rows} * in);
  std::vector<std::int32_t> bias, multipliers;
  for (std::size_t o = 0; o < out; ++o) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < in; ++i) sum += weights[o * in + i];
    const bool is_dead = random.chance(5);  // tiny weights leave a bias of many steps
    bias.push_back(static_cast<std::int32_t>(is_dead ? random.between(-(1 << 30), 1 << 30)
                                                     : random.between(-20000, 20000) - in_zero * sum));
    multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * std::sqrt(in), 0));
  }
  if (is_short) shorten(random, multipliers, bias);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t o = 0; o < out; ++o) {
      std::int64_t acc = bias[o];
      for (std::size_t i = 0; i < in; ++i) acc += k.x[r * in + i] * weights[o * in + i];
      k.expected.push_back(requantize(acc, multipliers[o], output));
    }
  DspProduct product{weights, bias, multipliers, in, 4};
  const auto codes = is_short ? channel_codes(bias, multipliers) : std::nullopt;
  REQUIRE(codes.has_value() == is_short);
  if (codes) {
    product.codes = codes->codes;
    k.p.shift = static_cast<std::uint8_t>(codes->shift);
    k.kernel = tml_fully_connected_short_s8_dsp, k.lean = tml_fully_connected_lean_short_s8_dsp;
  }
  if (auto stream = pack_product_dsp(product)) k.stream = *stream;
  k.p.stream = k.stream.data();
  k.p.rows = rows, k.p.in_features = in, k.p.out_features = out;
  k.p.out_zero = output.zero, k.p.clamp_min = output.low, k.p.clamp_max = output.high;
  return k;
}

void check(const Case& k) {
  REQUIRE((!k.stream.empty() || k.p.in_features > 500));  // 128 * 127 * 500 fits into 24 bits
  if (k.stream.empty()) return;
  CAPTURE(k.p.rows, k.p.in_features, k.p.out_features);
  Arena arena;
  arena.add(k.x);
  const auto y = arena.add_output(k.expected.size());
  arena.add_output(scratch_bytes(k.p));
  REQUIRE(arena.run(k.kernel, &k.p) == TML_OK);
  REQUIRE(arena.read(y, k.expected.size()) == k.expected);
  REQUIRE(arena.guards_intact());
  if (k.p.in_features % 4 != 0) return;
  Arena lean;
  lean.add(k.x);
  const auto lean_y = lean.add_output(k.expected.size());
  REQUIRE(lean.run(k.lean, &k.p) == TML_OK);
  REQUIRE(lean.read(lean_y, k.expected.size()) == k.expected);
  REQUIRE(lean.guards_intact());
}

LoweredStep portable_step(Random& random, std::int64_t rows, std::int64_t in, std::int64_t out) {
  LoweredStep step;
  step.kernel = "tml_fully_connected_s8";
  const Bytes weights = random.bytes(static_cast<std::size_t>(in * out), -50, 50);
  const std::vector<std::int32_t> bias(static_cast<std::size_t>(out), 7), multiplier{1 << 22};
  step.fields = {{"weights", Tensor::from<std::int8_t>({out, in}, weights)},
                 {"bias", Tensor::from<std::int32_t>({out}, bias)},
                 {"multipliers", Tensor::from<std::int32_t>({1}, multiplier)},
                 {"rows", rows},
                 {"in_features", in},
                 {"out_features", out},
                 {"clamp_min", std::int64_t{-128}},
                 {"clamp_max", std::int64_t{127}}};
  return step;
}

}  // namespace

TEST_CASE("fully connected with SMLAD equals 64-bit sums", "[device][dsp]") {
  Random random(31);
  for (const std::uint32_t in : {1U, 2U, 3U, 4U, 5U, 8U, 12U, 16U, 28U, 32U, 64U, 128U, 255U, 640U})
    for (const std::uint32_t out : {1U, 2U, 3U, 4U, 5U, 8U, 11U})
      for (const std::uint32_t rows : {1U, 2U}) {
        check(make_case(random, rows, in, out));
        check(make_case(random, rows, in, out, true));
      }
  for (int i = 0; i < 1000; ++i)
    check(make_case(random, static_cast<std::uint32_t>(random.between(1, 3)),
                    static_cast<std::uint32_t>(random.between(1, 200)),
                    static_cast<std::uint32_t>(random.between(1, 12)), i % 2 == 0));
}

TEST_CASE("a row may be overwritten by its own outputs", "[device][dsp]") {
  Random random(32);
  const Case k = make_case(random, 1, 100, 9);
  Arena arena;
  const auto x = arena.add(k.x), scratch = arena.add_output(scratch_bytes(k.p));
  const std::uint32_t operands[] = {x, x, scratch};
  REQUIRE(arena.run_with(tml_fully_connected_s8_dsp, &k.p, operands) == TML_OK);
  REQUIRE(arena.read(x, k.expected.size()) == k.expected);
}

TEST_CASE("forms of a fully connected step", "[device][dsp]") {
  Random random(33);
  const auto one = portable_step(random, 1, 64, 10), rows = portable_step(random, 8, 64, 12),
             odd = portable_step(random, 1, 63, 10);
  const Target m4 = Target::cortex_m4;
  REQUIRE(fully_connected_dsp_form(one, m4)->scratch_bytes == 128);
  REQUIRE(fully_connected_lean_dsp_form(one, m4)->scratch_bytes == 0);
  REQUIRE(!fully_connected_lean_dsp_form(odd, m4));
  REQUIRE(!fully_connected_as_conv2d_dsp_form(one, m4));
  const auto conv = fully_connected_as_conv2d_dsp_form(rows, m4);
  REQUIRE(conv);
  REQUIRE(*conv->instructions < *fully_connected_dsp_form(rows, m4)->instructions);
  REQUIRE(field_value(conv->step, "in_w") == 8);
  REQUIRE(field_value(conv->step, "out_c") == 12);
  auto shifted = one;
  shifted.fields.push_back({"shift", std::int64_t{1}});
  REQUIRE(!fully_connected_dsp_form(shifted, m4));
}

}  // namespace tinyml::test
