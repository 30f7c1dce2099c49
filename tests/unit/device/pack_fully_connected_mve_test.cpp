// The packed fully connected form for cores with Helium, in its plain C form, against 64-bit sums; and rows as a 1x1
// convolution. The assembler form is tested on the emulated core (tests/firmware/kernels).
#include "lib/device/pack_fully_connected_mve.h"

#include <catch2/catch.hpp>

#include "lib/device/pack_product_mve.h"
#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

void check(Random& random, std::uint32_t rows, std::uint32_t in, std::uint32_t out) {
  const Output output = random_output(random, 0);
  const std::int64_t in_zero = random.zero();
  const Bytes weights = random.bytes(std::size_t{in} * out, -127, 127), x = random.bytes(std::size_t{rows} * in);
  std::vector<std::int32_t> bias, multipliers;
  Bytes expected;
  for (std::size_t o = 0; o < out; ++o) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < in; ++i) sum += weights[o * in + i];
    bias.push_back(static_cast<std::int32_t>(random.between(-20000, 20000) - in_zero * sum));
    multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * std::sqrt(in), 0));
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t o = 0; o < out; ++o) {
      std::int64_t acc = bias[o];
      for (std::size_t i = 0; i < in; ++i) acc += x[r * in + i] * weights[o * in + i];
      expected.push_back(requantize(acc, multipliers[o], output));
    }
  const auto stream = pack_product_mve({weights, bias, multipliers, in}, 8);
  tml_fully_connected_dsp_params p{};
  p.stream = stream.data();
  p.rows = rows, p.in_features = in, p.out_features = out;
  p.out_zero = output.zero, p.clamp_min = output.low, p.clamp_max = output.high;
  CAPTURE(rows, in, out);
  Arena arena;
  arena.add(x);
  const auto y = arena.add_output(expected.size());
  arena.add_output(scratch_bytes_mve(p));
  REQUIRE(arena.run(tml_fully_connected_s8_mve, &p) == TML_OK);
  REQUIRE(arena.read(y, expected.size()) == expected);
  REQUIRE(arena.guards_intact());
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

TEST_CASE("fully connected with VMLADAVA equals 64-bit sums", "[device][mve]") {
  Random random(41);
  for (const std::uint32_t in : {1U, 2U, 7U, 8U, 9U, 12U, 16U, 24U, 28U, 32U, 64U, 128U, 255U, 640U})
    for (const std::uint32_t out : {1U, 2U, 3U, 7U, 8U, 9U, 11U, 16U, 17U})
      for (const std::uint32_t rows : {1U, 2U}) check(random, rows, in, out);
  for (int i = 0; i < 500; ++i)
    check(random, static_cast<std::uint32_t>(random.between(1, 3)), static_cast<std::uint32_t>(random.between(1, 200)),
          static_cast<std::uint32_t>(random.between(1, 20)));
}

TEST_CASE("forms of a fully connected step for Helium", "[device][mve]") {
  Random random(42);
  const auto one = portable_step(random, 1, 64, 10), rows = portable_step(random, 8, 64, 12),
             odd = portable_step(random, 1, 63, 10), single = portable_step(random, 1, 8192, 1);
  const Target m55 = Target::cortex_m55;
  REQUIRE(fully_connected_mve_form(one, m55)->scratch_bytes == 0);
  REQUIRE(fully_connected_mve_form(odd, m55)->scratch_bytes == 64);
  REQUIRE(!fully_connected_mve_form(single, m55));  // would take eight times its flash
  REQUIRE(!fully_connected_as_conv2d_mve_form(one, m55));
  const auto conv = fully_connected_as_conv2d_mve_form(rows, m55);
  REQUIRE(conv);
  REQUIRE(field_value(conv->step, "in_w") == 8);
  REQUIRE(field_value(conv->step, "out_c") == 12);
  auto shifted = one;
  shifted.fields.push_back({"shift", std::int64_t{1}});
  REQUIRE(!fully_connected_mve_form(shifted, m55));
}

TEST_CASE("predicted instructions of Helium fully connected layers", "[device][mve]") {
  // Measured by scripts/kernel_tests.sh --layers fully_connected_mve (gcc 12.2, -O2, QEMU 7.2).
  const double layers[][3] = {{640, 128, 11461}, {128, 128, 2629}, {8, 128, 690}, {128, 640, 12805}, {64, 12, 267}};
  for (const auto& layer : layers) {
    tml_fully_connected_dsp_params p{};
    p.rows = 1;
    p.in_features = static_cast<std::uint32_t>(layer[0]), p.out_features = static_cast<std::uint32_t>(layer[1]);
    p.clamp_min = -128, p.clamp_max = 127;
    CHECK(instructions_mve(p) == Approx(layer[2]).epsilon(0.05));
  }
}

}  // namespace tinyml::test
