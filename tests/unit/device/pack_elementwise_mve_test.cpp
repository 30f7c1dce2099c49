// Elementwise kernels, softmax and pooling for Helium in their plain C forms, against the portable kernels (which other
// tests hold against the reference); and which steps take their forms.
#include <catch2/catch.hpp>

#include <algorithm>

#include "lib/device/pack_avg_pool_mve.h"
#include "lib/device/pack_elementwise_mve.h"
#include "lib/device/pack_max_pool_mve.h"
#include "lib/runtime/kernels/softmax_divide.h"
#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

LoweredStep binary_step(std::vector<std::int64_t> a_strides) {
  LoweredStep step;
  step.kernel = "tml_add_s8";
  step.fields = {{"dims", std::vector<std::int64_t>{1, 1, 1, 4, 4, 16}},
                 {"a_strides", std::move(a_strides)},
                 {"b_strides", std::vector<std::int64_t>{256, 256, 256, 64, 16, 1}}};
  return step;
}

// Two operands of up to three dimensions; each dimension is broadcast in one of them or in none.
struct BinaryCase {
  tml_binary_params p{};
  std::size_t a = 1, b = 1, y = 1;
};

BinaryCase random_binary(Random& random) {
  BinaryCase k;
  for (auto& dim : k.p.dims) dim = 1;
  for (std::size_t i = TML_MAX_DIMS; i-- > 0;) {
    if (i >= 3) k.p.dims[i] = static_cast<std::uint32_t>(random.between(1, i == 5 ? 40 : 4));
    const auto kind = random.between(0, 5);
    k.p.a_strides[i] = kind == 0 ? 0 : static_cast<std::uint32_t>(k.a);
    k.p.b_strides[i] = kind == 1 || kind == 2 ? 0 : static_cast<std::uint32_t>(k.b);
    if (kind != 0) k.a *= k.p.dims[i];
    if (kind != 1 && kind != 2) k.b *= k.p.dims[i];
    k.y *= k.p.dims[i];
  }
  k.p.a_zero = random.zero(), k.p.b_zero = random.zero();
  set_output(k.p, random_output(random, 0));
  return k;
}

// Apart, and where an operand has the output's size in its place.
void check_binary(Random& random, const BinaryCase& k, tml_kernel portable, tml_kernel variant) {
  Arena arena;
  const auto a = arena.add(random.bytes(k.a)), b = arena.add(random.bytes(k.b));
  const auto y = arena.add_output(k.y), z = arena.add_output(k.y);
  const std::uint32_t first[] = {a, b, y}, second[] = {a, b, z}, third[] = {a, b, k.a == k.y ? a : b};
  REQUIRE(arena.run_with(portable, &k.p, first) == TML_OK);
  REQUIRE(arena.run_with(variant, &k.p, second) == TML_OK);
  REQUIRE(arena.read(y, k.y) == arena.read(z, k.y));
  if (k.a == k.y || k.b == k.y) {
    REQUIRE(arena.run_with(variant, &k.p, third) == TML_OK);
    REQUIRE(arena.read(y, k.y) == arena.read(third[2], k.y));
  }
  REQUIRE(arena.guards_intact());
}

}  // namespace

TEST_CASE("add_s8_mve equals add_s8", "[device][mve]") {
  Random random(61);
  for (int i = 0; i < 1000; ++i) {
    BinaryCase k = random_binary(random);
    k.p.a_multiplier = static_cast<std::int32_t>(random.between(-2097152, 2097152));
    k.p.b_multiplier = static_cast<std::int32_t>(random.between(-2097152, 2097152));
    k.p.shift = static_cast<std::uint8_t>(random.between(1, 30));
    check_binary(random, k, tml_add_s8, tml_add_s8_mve);
  }
}

TEST_CASE("mul_s8_mve equals mul_s8", "[device][mve]") {
  Random random(63);
  for (int i = 0; i < 1000; ++i) {
    BinaryCase k = random_binary(random);
    k.p.shift = static_cast<std::uint8_t>(random.chance(50) ? 0 : random.between(0, 14));
    k.p.a_multiplier = random_multiplier(random, 20000, k.p.shift);
    check_binary(random, k, tml_mul_s8, tml_mul_s8_mve);
  }
}

TEST_CASE("lut_s8_mve equals lut_s8", "[device][mve]") {
  Random random(64);
  for (int i = 0; i < 200; ++i) {
    const Bytes table = random.bytes(256);
    tml_lut_params p{table.data(), static_cast<std::uint32_t>(random.between(0, 70))};
    Arena arena;
    const auto x = arena.add(random.bytes(p.count)), y = arena.add_output(p.count);
    const std::uint32_t portable[] = {x, y}, variant[] = {x, x};
    REQUIRE(arena.run_with(tml_lut_s8, &p, portable) == TML_OK);
    REQUIRE(arena.run_with(tml_lut_s8_mve, &p, variant) == TML_OK);
    REQUIRE(arena.read(x, p.count) == arena.read(y, p.count));
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("softmax_s8_mve equals softmax_s8", "[device][mve]") {
  Random random(65);
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::uint32_t> table{1u << 24};
    const double ratio = random.chance(20) ? 1 - 1e-5 : static_cast<double>(random.between(0, 1000)) / 1000;
    while (table.size() < 256 && table.back() > 0) table.push_back(static_cast<std::uint32_t>(table.back() * ratio));
    tml_softmax_params p{};
    p.exp_table = table.data(), p.table_size = static_cast<std::uint32_t>(table.size());
    p.outer = static_cast<std::uint32_t>(random.between(1, 3)), p.inner = 1;
    p.depth = static_cast<std::uint32_t>(random.between(1, random.chance(80) ? 40 : 600));
    p.out_multiplier = static_cast<std::int32_t>(random.chance(50) ? 1 << 24 : random.between(1, INT32_MAX));
    const Output out = random_output(random, 0);
    p.out_zero = out.zero, p.clamp_min = out.low, p.clamp_max = out.high;
    const std::size_t count = std::size_t{p.outer} * p.depth;
    Arena arena;
    const auto x = arena.add(random.bytes(count, random.chance(20) ? 127 : -128)), y = arena.add_output(count);
    const std::uint32_t portable[] = {x, y}, variant[] = {x, x};
    REQUIRE(arena.run_with(tml_softmax_s8, &p, portable) == TML_OK);
    REQUIRE(arena.run_with(tml_softmax_s8_mve, &p, variant) == TML_OK);
    REQUIRE(arena.read(x, count) == arena.read(y, count));
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("the factor of a softmax by division is exact", "[device][mve]") {
  Random random(66);
  for (int i = 0; i < 200000; ++i) {
    const auto bits = random.between(24, 47);
    std::uint64_t sum = std::uint64_t{1} << bits;  // next to powers of two the digits are hardest to guess
    if (random.chance(50)) sum += static_cast<std::uint64_t>(random.between(0, (1LL << bits) - 1));
    if (random.chance(30)) sum += static_cast<std::uint64_t>(random.between(0, 3));
    if (random.chance(30)) sum -= static_cast<std::uint64_t>(random.between(0, 3));
    sum = std::clamp<std::uint64_t>(sum, 1u << 24, (std::uint64_t{1} << 48) - 1);
    const auto multiplier = static_cast<std::int32_t>(
        random.chance(30) ? INT32_MAX - random.between(0, 3) : random.between(0, 1LL << random.between(0, 30)));
    const std::uint64_t quotient = ((static_cast<std::uint64_t>(multiplier) << 24) + sum / 2) / sum;
    REQUIRE(tml_softmax_factor(multiplier, sum) == quotient);
  }
}

TEST_CASE("pooling for Helium equals portable pooling", "[device][mve]") {
  Random random(62);
  for (int i = 0; i < 1000; ++i) {
    tml_pool2d_params p{};
    const auto u16 = [&](int low, int high) { return static_cast<std::uint16_t>(random.between(low, high)); };
    p.batches = u16(1, 2), p.in_h = u16(3, 8), p.in_w = u16(3, 8), p.channels = u16(1, 20);
    p.kernel_h = u16(1, 3), p.kernel_w = u16(1, 3), p.stride_h = u16(1, 3), p.stride_w = u16(1, 3);
    p.dilation_h = p.dilation_w = 1, p.pad_top = u16(0, 1), p.pad_left = u16(0, 1), p.count_min = 1;
    p.out_h = static_cast<std::uint16_t>((p.in_h + p.pad_top - p.kernel_h) / p.stride_h + 1);
    p.out_w = static_cast<std::uint16_t>((p.in_w + p.pad_left - p.kernel_w) / p.stride_w + 1);
    std::int32_t multipliers[9];
    for (auto& m : multipliers) m = random_multiplier(random, 500, 0);
    p.multipliers = multipliers;
    p.in_zero = random.zero();
    set_output(p, random_output(random, 0));
    const std::size_t out = std::size_t{p.batches} * p.out_h * p.out_w * p.channels;
    Arena arena;
    const auto x = arena.add(random.bytes(std::size_t{p.batches} * p.in_h * p.in_w * p.channels));
    const auto y = arena.add_output(out), z = arena.add_output(out);
    const std::uint32_t portable[] = {x, y}, variant[] = {x, z};
    const bool is_max = i % 2 == 0;
    REQUIRE(arena.run_with(is_max ? tml_max_pool2d_s8 : tml_avg_pool2d_s8, &p, portable) == TML_OK);
    REQUIRE(arena.run_with(is_max ? tml_max_pool2d_s8_mve : tml_avg_pool2d_s8_mve, &p, variant) == TML_OK);
    REQUIRE(arena.read(y, out) == arena.read(z, out));
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("forms of elementwise steps and pools for Helium", "[device][mve]") {
  const auto cost = [](std::vector<std::int64_t> a_strides) {
    return add_mve_form(binary_step(std::move(a_strides)), Target::cortex_m55).value().instructions.value();
  };
  const auto dense = add_mve_form(binary_step({256, 256, 256, 64, 16, 1}), Target::cortex_m55);
  REQUIRE(dense);
  REQUIRE(dense->step.kernel == "tml_add_s8_mve");
  const double per_channel = cost({0, 0, 0, 0, 0, 1}), per_pixel = cost({16, 16, 16, 4, 1, 0});
  CHECK(per_channel > *dense->instructions);                                              // 4 calls of 4 rows
  CHECK(per_pixel > per_channel);                                                         // and 16 single elements
  CHECK_FALSE(add_mve_form(binary_step({256, 256, 256, 1, 4, 16}), Target::cortex_m55));  // transposed

  LoweredStep mul = binary_step({256, 256, 256, 64, 16, 1});
  mul.fields.push_back({"shift", std::int64_t{14}});
  CHECK(mul_mve_form(mul, Target::cortex_m55));
  mul.fields.back().value = std::int64_t{15};
  CHECK_FALSE(mul_mve_form(mul, Target::cortex_m55));

  LoweredStep softmax;
  softmax.fields = {{"outer", std::int64_t{1}}, {"depth", std::int64_t{10}}, {"inner", std::int64_t{1}}};
  CHECK(softmax_mve_form(softmax, Target::cortex_m55)->instructions.value() == Approx(215).epsilon(0.25));
  softmax.fields[2].value = std::int64_t{2};
  CHECK_FALSE(softmax_mve_form(softmax, Target::cortex_m55));

  LoweredStep pool;
  REQUIRE(avg_pool_mve_form(pool, Target::cortex_m55));
  pool.fields = {{"shift", std::int64_t{1}}};
  REQUIRE_FALSE(avg_pool_mve_form(pool, Target::cortex_m55));
}

// Counted by scripts/kernel_tests.sh --layers elementwise_mve pool_mve.
TEST_CASE("predicted instructions of Helium's elementwise kernels are what QEMU counts", "[device][mve]") {
  const auto step = [](std::vector<std::int64_t> dims, std::vector<std::int64_t> a, std::vector<std::int64_t> b) {
    LoweredStep result;
    result.fields = {{"dims", std::move(dims)}, {"a_strides", std::move(a)}, {"b_strides", std::move(b)}};
    return result;
  };
  const auto m55 = Target::cortex_m55;
  const LoweredStep same = step({1, 1, 1, 32, 32, 16}, {0, 0, 0, 512, 16, 1}, {0, 0, 0, 512, 16, 1});
  CHECK(add_mve_form(same, m55)->instructions.value() == Approx(41234).epsilon(0.05));
  const LoweredStep per_channel = step({1, 1, 1, 14, 14, 96}, {0, 0, 0, 1344, 96, 1}, {0, 0, 0, 0, 0, 1});
  CHECK(add_mve_form(per_channel, m55)->instructions.value() == Approx(50558).epsilon(0.05));
  CHECK(mul_mve_form(per_channel, m55)->instructions.value() == Approx(39059).epsilon(0.05));
  const LoweredStep odd = step({1, 1, 1, 7, 7, 575}, {0, 0, 0, 4025, 575, 1}, {0, 0, 0, 0, 0, 1});
  CHECK(mul_mve_form(odd, m55)->instructions.value() == Approx(56216).epsilon(0.05));
  const LoweredStep per_pixel = step({1, 1, 1, 14, 14, 96}, {0, 0, 0, 1344, 96, 1}, {0, 0, 0, 14, 1, 0});
  CHECK(mul_mve_form(per_pixel, m55)->instructions.value() == Approx(48663).epsilon(0.05));

  const auto pool = [&](std::int64_t size, std::int64_t channels, std::int64_t kernel, std::int64_t pad) {
    LoweredStep result;
    const std::int64_t out = (size + 2 * pad - kernel) / 2 + 1;
    result.fields = {{"batches", std::int64_t{1}},
                     {"in_h", size},
                     {"in_w", size},
                     {"out_h", out},
                     {"out_w", out},
                     {"channels", channels},
                     {"kernel_h", kernel},
                     {"kernel_w", kernel},
                     {"stride_h", std::int64_t{2}},
                     {"stride_w", std::int64_t{2}},
                     {"pad_top", pad},
                     {"pad_left", pad},
                     {"dilation_h", std::int64_t{1}},
                     {"dilation_w", std::int64_t{1}}};
    return max_pool_mve_form(result, m55)->instructions.value();
  };
  CHECK(pool(27, 96, 3, 0) == Approx(53692).epsilon(0.05));
  CHECK(pool(13, 256, 3, 0) == Approx(26022).epsilon(0.05));
  CHECK(pool(28, 20, 3, 1) == Approx(30465).epsilon(0.05));
  CHECK(pool(32, 16, 2, 0) == Approx(26102).epsilon(0.05));
}

}  // namespace tinyml::test
