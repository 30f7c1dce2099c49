// Addition and average pooling for Helium in their plain C forms, against the portable kernels (which other tests hold
// against the reference); and which steps take their forms.
#include <catch2/catch.hpp>

#include "lib/device/pack_add_mve.h"
#include "lib/device/pack_avg_pool_mve.h"
#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

LoweredStep add_step(std::vector<std::int64_t> a_strides) {
  LoweredStep step;
  step.kernel = "tml_add_s8";
  step.fields = {{"dims", std::vector<std::int64_t>{1, 1, 1, 4, 4, 16}},
                 {"a_strides", std::move(a_strides)},
                 {"b_strides", std::vector<std::int64_t>{256, 256, 256, 64, 16, 1}}};
  return step;
}

}  // namespace

TEST_CASE("add_s8_mve equals add_s8", "[device][mve]") {
  Random random(61);
  for (int i = 0; i < 500; ++i) {
    tml_binary_params p{};
    const auto rows = static_cast<std::uint32_t>(random.between(1, 3)),
               n = static_cast<std::uint32_t>(random.between(1, 40));
    for (auto& dim : p.dims) dim = 1;
    p.dims[4] = rows, p.dims[5] = n;
    p.a_strides[4] = n, p.a_strides[5] = 1;
    p.b_strides[4] = random.chance(50) ? n : 0, p.b_strides[5] = random.chance(70) ? 1 : 0;
    p.a_multiplier = static_cast<std::int32_t>(random.between(-2097152, 2097152));
    p.b_multiplier = static_cast<std::int32_t>(random.between(-2097152, 2097152));
    p.a_zero = random.zero(), p.b_zero = random.zero();
    set_output(p, random_output(random, 0));
    p.shift = static_cast<std::uint8_t>(random.between(1, 30));
    Arena arena;
    const auto a = arena.add(random.bytes(rows * n)), b = arena.add(random.bytes(rows * n));
    const auto y = arena.add_output(rows * n), z = arena.add_output(rows * n);
    const std::uint32_t portable[] = {a, b, y}, variant[] = {a, b, z};
    REQUIRE(arena.run_with(tml_add_s8, &p, portable) == TML_OK);
    REQUIRE(arena.run_with(tml_add_s8_mve, &p, variant) == TML_OK);
    REQUIRE(arena.read(y, rows * n) == arena.read(z, rows * n));
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("avg_pool2d_s8_mve equals avg_pool2d_s8", "[device][mve]") {
  Random random(62);
  for (int i = 0; i < 500; ++i) {
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
    REQUIRE(arena.run_with(tml_avg_pool2d_s8, &p, portable) == TML_OK);
    REQUIRE(arena.run_with(tml_avg_pool2d_s8_mve, &p, variant) == TML_OK);
    REQUIRE(arena.read(y, out) == arena.read(z, out));
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("forms of additions and pools for Helium", "[device][mve]") {
  const auto dense = add_mve_form(add_step({256, 256, 256, 64, 16, 1}), Target::cortex_m55);
  REQUIRE(dense);
  REQUIRE(dense->step.kernel == "tml_add_s8_mve");
  REQUIRE(*add_mve_form(add_step({0, 0, 0, 0, 0, 1}), Target::cortex_m55)->instructions > *dense->instructions);
  REQUIRE_FALSE(add_mve_form(add_step({16, 16, 16, 4, 1, 0}), Target::cortex_m55));  // broadcast along the row
  LoweredStep pool;
  REQUIRE(avg_pool_mve_form(pool, Target::cortex_m55));
  pool.fields = {{"shift", std::int64_t{1}}};
  REQUIRE_FALSE(avg_pool_mve_form(pool, Target::cortex_m55));
}

}  // namespace tinyml::test
