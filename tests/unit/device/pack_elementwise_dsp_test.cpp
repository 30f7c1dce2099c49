// add, mul, lut and softmax for the DSP extension in their plain C forms, against the portable kernels (which other
// tests hold against the reference); which steps take their forms, what they are predicted to cost, and when they are
// given up.
#include "lib/device/pack_elementwise_dsp.h"

#include <catch2/catch.hpp>

#include "lib/device/cost.h"
#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

using List = std::vector<std::int64_t>;

// How an operand varies over two images of rows x n.
enum class Kind { full, column, row, one };

std::size_t set_strides(std::uint32_t* to, std::uint32_t rows, std::uint32_t n, Kind kind) {
  to[3] = kind == Kind::full ? rows * n : kind == Kind::row ? rows : 0;
  to[4] = kind == Kind::full ? n : kind == Kind::row ? 1 : 0;
  to[5] = kind == Kind::full || kind == Kind::column ? 1 : 0;
  return kind == Kind::full ? 2 * rows * n : kind == Kind::column ? n : kind == Kind::row ? 2 * rows : 1;
}

struct Pair {
  tml_binary_params p{};
  std::size_t a = 0, b = 0, y = 0;
};

Pair random_pair(Random& random) {
  Pair pair;
  for (auto& dim : pair.p.dims) dim = 1;
  const auto rows = static_cast<std::uint32_t>(random.between(1, 4)),
             n = static_cast<std::uint32_t>(random.between(1, 40));
  const auto kind = static_cast<Kind>(random.between(0, 3));
  const bool swapped = random.chance(50);
  pair.p.dims[3] = 2, pair.p.dims[4] = rows, pair.p.dims[5] = n;
  pair.a = set_strides(pair.p.a_strides, rows, n, swapped ? kind : Kind::full);
  pair.b = set_strides(pair.p.b_strides, rows, n, swapped ? Kind::full : kind);
  pair.y = 2 * std::size_t{rows} * n;
  pair.p.a_zero = random.zero(), pair.p.b_zero = random.zero();
  set_output(pair.p, random_output(random, 0));
  return pair;
}

// Apart and, where the operand is as large as the output, in its place.
void expect_same(const Pair& pair, tml_kernel portable, tml_kernel variant, Random& random) {
  Arena arena;
  const auto a = arena.add(random.bytes(pair.a)), b = arena.add(random.bytes(pair.b));
  const auto y = arena.add_output(pair.y), z = arena.add_output(pair.y);
  const std::uint32_t reference[] = {a, b, y}, apart[] = {a, b, z}, in_place[] = {a, b, pair.a == pair.y ? a : b};
  REQUIRE(arena.run_with(portable, &pair.p, reference) == TML_OK);
  REQUIRE(arena.run_with(variant, &pair.p, apart) == TML_OK);
  REQUIRE(arena.read(y, pair.y) == arena.read(z, pair.y));
  REQUIRE(arena.run_with(variant, &pair.p, in_place) == TML_OK);
  REQUIRE(arena.read(y, pair.y) == arena.read(in_place[2], pair.y));
  REQUIRE(arena.guards_intact());
}

LoweredStep binary_step(const char* kernel, List a, List b, std::int64_t shift) {
  LoweredStep step;
  step.kernel = kernel;
  step.fields = {{"dims", List{1, 1, 1, 1, 196, 96}},
                 {"a_strides", std::move(a)},
                 {"b_strides", std::move(b)},
                 {"a_multiplier", std::int64_t{1} << 20},
                 {"b_multiplier", std::int64_t{1} << 20},
                 {"out_zero", std::int64_t{0}},
                 {"clamp_min", std::int64_t{-128}},
                 {"clamp_max", std::int64_t{127}},
                 {"shift", shift}};
  return step;
}

LoweredStep softmax_step(std::int64_t depth, std::int64_t inner, std::int64_t entries) {
  LoweredStep step;
  step.kernel = "tml_softmax_s8";
  const std::vector<std::uint32_t> table(static_cast<std::size_t>(entries), 1U << 24);
  step.fields = {{"exp_table", Tensor::from<std::uint32_t>({entries}, table)},
                 {"table_size", entries},
                 {"outer", std::int64_t{1}},
                 {"depth", depth},
                 {"inner", inner},
                 {"clamp_min", std::int64_t{-128}},
                 {"clamp_max", std::int64_t{127}}};
  return step;
}

const List kFull{0, 0, 0, 0, 96, 1}, kColumn{0, 0, 0, 0, 0, 1}, kRow{0, 0, 0, 0, 1, 0}, kTwo{0, 0, 0, 0, 192, 2};

}  // namespace

TEST_CASE("add_s8_dsp equals add_s8", "[device][dsp]") {
  Random random(71);
  for (int i = 0; i < 1000; ++i) {
    Pair pair = random_pair(random);
    const auto most = std::int64_t{1} << random.between(10, 21);
    pair.p.a_multiplier = static_cast<std::int32_t>(random.chance(10) ? most : random.between(-most, most));
    pair.p.b_multiplier = static_cast<std::int32_t>(random.chance(10) ? -most : random.between(-most, most));
    do {
      pair.p.shift = static_cast<std::uint8_t>(random.between(16, 23));
    } while (510 * most + ((std::int64_t{2} * (pair.p.out_zero + 128) + 1) << (pair.p.shift - 1)) > INT32_MAX);
    expect_same(pair, tml_add_s8, tml_add_s8_dsp, random);
  }
}

TEST_CASE("mul_s8_dsp equals mul_s8", "[device][dsp]") {
  Random random(72);
  for (int i = 0; i < 1000; ++i) {
    Pair pair = random_pair(random);
    pair.p.a_multiplier = random.chance(20) ? INT32_MAX : random_multiplier(random, 20000, 0);
    expect_same(pair, tml_mul_s8, tml_mul_s8_dsp, random);
  }
}

TEST_CASE("lut_s8_dsp equals lut_s8", "[device][dsp]") {
  Random random(73);
  for (std::uint32_t count = 0; count < 50; ++count) {
    const Bytes table = random.bytes(256);
    const tml_lut_params p{table.data(), count};
    Arena arena;
    const auto x = arena.add(random.bytes(count)), y = arena.add_output(count), z = arena.add_output(count);
    const std::uint32_t reference[] = {x, y}, apart[] = {x, z}, in_place[] = {x, x};
    REQUIRE(arena.run_with(tml_lut_s8, &p, reference) == TML_OK);
    REQUIRE(arena.run_with(tml_lut_s8_dsp, &p, apart) == TML_OK);
    REQUIRE(arena.run_with(tml_lut_s8_dsp, &p, in_place) == TML_OK);
    REQUIRE(arena.read(y, count) == arena.read(z, count));
    REQUIRE(arena.read(y, count) == arena.read(x, count));
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("softmax_s8_dsp equals softmax_s8", "[device][dsp]") {
  Random random(74);
  for (int i = 0; i < 1000; ++i) {
    const auto size = static_cast<std::size_t>(random.chance(40) ? 256 : random.between(2, 255));
    std::vector<std::uint32_t> table(size, 1U << 24);
    const double decay = std::exp(-0.001 * static_cast<double>(random.between(1, 2000)));
    for (std::size_t d = 1; d < size; ++d) table[d] = static_cast<std::uint32_t>(table[d - 1] * decay);
    if (size < 256) table.back() = 0;
    tml_softmax_params p{};
    p.exp_table = table.data(), p.table_size = static_cast<std::uint32_t>(size);
    p.outer = static_cast<std::uint32_t>(random.between(1, 3)), p.inner = 1;
    p.depth = static_cast<std::uint32_t>(random.chance(10) ? random.between(256, 3000) : random.between(4, 60));
    p.out_multiplier = static_cast<std::int32_t>(random.chance(50) ? 1 << 24 : random.between(1, INT32_MAX));
    p.out_zero = random.zero(), p.clamp_min = -128, p.clamp_max = 127;
    const std::size_t count = std::size_t{p.outer} * p.depth;
    Arena arena;
    const auto x = arena.add(random.bytes(count)), y = arena.add_output(count), z = arena.add_output(count);
    const std::uint32_t reference[] = {x, y}, apart[] = {x, z}, in_place[] = {x, x};
    REQUIRE(arena.run_with(tml_softmax_s8, &p, reference) == TML_OK);
    REQUIRE(arena.run_with(tml_softmax_s8_dsp, &p, apart) == TML_OK);
    REQUIRE(arena.run_with(tml_softmax_s8_dsp, &p, in_place) == TML_OK);
    REQUIRE(arena.read(y, count) == arena.read(z, count));
    REQUIRE(arena.read(y, count) == arena.read(x, count));
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("which elementwise steps take the forms for the DSP extension", "[device][dsp]") {
  const Target m4 = Target::cortex_m4;
  CHECK(add_dsp_form(binary_step("tml_add_s8", kFull, kColumn, 21), m4)->step.kernel == "tml_add_s8_dsp");
  CHECK(add_dsp_form(binary_step("tml_add_s8", kRow, kFull, 21), m4));
  CHECK_FALSE(add_dsp_form(binary_step("tml_add_s8", kFull, kFull, 15), m4));  // results of more than 16 bits
  CHECK_FALSE(add_dsp_form(binary_step("tml_add_s8", kFull, kFull, 24), m4));  // sums of more than 32 bits
  CHECK_FALSE(add_dsp_form(binary_step("tml_add_s8", kFull, kTwo, 21), m4));
  CHECK(mul_dsp_form(binary_step("tml_mul_s8", kFull, kRow, 0), m4)->step.kernel == "tml_mul_s8_dsp");
  CHECK_FALSE(mul_dsp_form(binary_step("tml_mul_s8", kFull, kFull, 1), m4));
  CHECK_FALSE(mul_dsp_form(binary_step("tml_mul_s8", kTwo, kFull, 0), m4));
  CHECK_FALSE(softmax_dsp_form(softmax_step(3, 1, 256), m4));
  CHECK_FALSE(softmax_dsp_form(softmax_step(10, 2, 256), m4));
  CHECK(field_tensor(softmax_dsp_form(softmax_step(10, 1, 256), m4)->step, "exp_table")->size() == 256);
  const auto longer = softmax_dsp_form(softmax_step(10, 1, 100), m4);
  CHECK(field_value(longer->step, "table_size") == 101);
  CHECK(field_tensor(longer->step, "exp_table")->data<std::uint32_t>().back() == 0);
}

// Counted by scripts/kernel_tests.sh --layers elementwise_dsp.
TEST_CASE("predicted instructions of elementwise kernels for the DSP extension are within 5%", "[device][dsp]") {
  const Target m4 = Target::cortex_m4;
  CHECK(*mul_dsp_form(binary_step("tml_mul_s8", kFull, kFull, 0), m4)->instructions == Approx(113172).epsilon(0.05));
  LoweredStep gate = binary_step("tml_mul_s8", {0, 0, 0, 0, 16, 1}, kColumn, 0);
  gate.fields[0].value = List{1, 1, 1, 1, 784, 16};
  CHECK(*mul_dsp_form(gate, m4)->instructions == Approx(99877).epsilon(0.05));
  const LoweredStep bias = binary_step("tml_add_s8", kFull, kColumn, 21);
  CHECK(*add_dsp_form(bias, m4)->instructions == Approx(138294).epsilon(0.05));
  LoweredStep table;
  table.kernel = "tml_lut_s8";
  table.fields = {{"count", std::int64_t{28 * 28 * 16}}};
  CHECK(*lut_dsp_form(table, m4)->instructions == Approx(47071).epsilon(0.05));
  CHECK(*softmax_dsp_form(softmax_step(10, 1, 256), m4)->instructions == Approx(346).epsilon(0.05));
  CHECK(*softmax_dsp_form(softmax_step(1000, 1, 256), m4)->instructions == Approx(13926).epsilon(0.05));
}

TEST_CASE("kernels that gain less than their flash is worth are given up", "[device]") {
  const auto forms = [](double portable, double variant) {
    std::vector<StepForm> both(2);
    both[0].step.kernel = "slow", both[0].instructions = portable;
    both[1].step.kernel = "fast", both[1].instructions = variant, both[1].least_gain = 0.01;
    return both;
  };
  const std::vector<StepForm> first = forms(1000, 400), second = forms(1000, 500), rest = forms(97500, 97500);
  const auto choose = [&](const std::vector<StepForm>& other, Optimize optimize) {
    const std::span<const StepForm> steps[] = {first, other, {rest.data(), 1}};
    std::vector<std::size_t> choice{1, 1, 0};
    give_up_small_gains(steps, optimize, choice);
    return choice;
  };
  CHECK(choose(second, Optimize::speed) == std::vector<std::size_t>{1, 1, 0});           // 1,100 of 98,400
  CHECK(choose({}, Optimize::speed) == std::vector<std::size_t>{0, 1, 0});               // 600 of 97,900
  CHECK(choose(forms(501, 500), Optimize::speed) == std::vector<std::size_t>{0, 0, 0});  // 601 of 98,400
  CHECK(choose(second, Optimize::size) == std::vector<std::size_t>{0, 0, 0});
}

}  // namespace tinyml::test
