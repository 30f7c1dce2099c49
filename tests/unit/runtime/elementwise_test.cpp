// elementwise_test.cpp: table look-up, the binary kernels with broadcasting, sum and PRelu against the reference, in
// place and not, bit for bit.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

// (acc + 2^(shift-1)) >> shift, in arithmetic that cannot overflow and does not shift.
std::int8_t round_shift(std::int64_t acc, const Output& o) {
  return clamped(std::floor(std::ldexp(static_cast<long double>(acc), -o.shift) + 0.5L), o);
}

// A binary record with its data, over random dims and random broadcasting of each operand.
struct BinaryCase {
  tml_binary_params p{};
  Output out;
  Bytes a, b;
  std::vector<std::int32_t> reciprocals;
  std::size_t count = 1;
};

// Dense strides over the dimensions that are not broadcast; returns the number of elements.
std::size_t make_strides(Random& random, const std::uint32_t* dims, int broadcast_percent, std::uint32_t* strides) {
  std::uint32_t size = 1;
  for (int d = TML_MAX_DIMS; d-- > 0;) {
    const bool broadcast = random.chance(broadcast_percent);
    strides[d] = broadcast ? 0 : size;
    if (!broadcast) size *= dims[d];
  }
  return size;
}

BinaryCase make_binary(Random& random, bool broadcast) {
  BinaryCase k;
  const int rank = static_cast<int>(random.between(1, TML_MAX_DIMS));
  for (int d = 0; d < TML_MAX_DIMS; ++d) {
    k.p.dims[d] = d < TML_MAX_DIMS - rank ? 1 : static_cast<std::uint32_t>(random.between(1, rank > 3 ? 4 : 9));
    k.count *= k.p.dims[d];
  }
  if (random.chance(2)) k.p.dims[random.between(0, 5)] = 0, k.count = 0;
  const int percent = broadcast ? 35 : 0;
  k.a = random.bytes(std::max<std::size_t>(1, make_strides(random, k.p.dims, percent, k.p.a_strides)));
  k.b = random.bytes(std::max<std::size_t>(1, make_strides(random, k.p.dims, percent, k.p.b_strides)));
  k.p.a_zero = random.zero(), k.p.b_zero = random.zero();
  return k;
}

template <typename Function>
Bytes each_element(const BinaryCase& k, Function function) {
  Bytes y;
  const std::uint32_t* d = k.p.dims;
  for (std::size_t i = 0; i < k.count; ++i) {
    std::size_t rest = i, a = 0, b = 0;
    for (int axis = TML_MAX_DIMS; axis-- > 0; rest /= d[axis]) {
      a += rest % d[axis] * k.p.a_strides[axis];
      b += rest % d[axis] * k.p.b_strides[axis];
    }
    y.push_back(function(std::int64_t{k.a[a]}, std::int64_t{k.b[b]}));
  }
  return y;
}

// Runs with both operands in the arena, with one as a constant, or in place.
void check_binary(Random& random, BinaryCase& k, tml_kernel kernel, const Bytes& expected, bool in_place) {
  set_output(k.p, k.out);
  const int constant = in_place ? 0 : static_cast<int>(random.between(0, 2));
  if (constant == 1) k.p.a_const = k.a.data();
  if (constant == 2) k.p.b_const = k.b.data();
  Arena arena;
  auto y = arena.add(constant == 1 ? Bytes(1) : k.a);
  const auto b = arena.add(constant == 2 ? Bytes(1) : k.b);
  if (in_place) {
    const std::uint32_t operands[] = {y, b, y};
    REQUIRE(arena.run_with(kernel, &k.p, operands) == TML_OK);
  } else {
    y = arena.add_output(k.count);
    REQUIRE(arena.run(kernel, &k.p) == TML_OK);
  }
  CAPTURE(k.p.dims, k.p.a_strides, k.p.b_strides, int(k.p.shift), k.p.a_multiplier, k.p.b_multiplier);
  REQUIRE(arena.read(y, k.count) == expected);
  REQUIRE(arena.guards_intact());
}

std::int32_t signed_multiplier(Random& random) {
  return static_cast<std::int32_t>(random.chance(20) ? random.pick({-(1 << 21), 1 << 21})
                                                     : random.between(-(1 << 21), 1 << 21));
}

template <typename Combine>
void check_scaled(std::uint32_t seed, tml_kernel kernel, Combine combine) {
  Random random(seed);
  for (int i = 0; i < 600; ++i) {
    const bool in_place = random.chance(20);
    auto k = make_binary(random, !in_place);
    k.out = random_output(random, 0);
    k.out.shift = static_cast<std::uint8_t>(random.chance(70) ? random.between(19, 25) : random.between(1, 30));
    k.p.a_multiplier = signed_multiplier(random), k.p.b_multiplier = signed_multiplier(random);
    const Bytes expected = each_element(k, [&](std::int64_t a, std::int64_t b) {
      return round_shift(combine((a - k.p.a_zero) * k.p.a_multiplier, (b - k.p.b_zero) * k.p.b_multiplier), k.out);
    });
    check_binary(random, k, kernel, expected, in_place);
  }
}

}  // namespace

TEST_CASE("add, min and max equal the reference", "[runtime]") {
  check_scaled(30, tml_add_s8, [](std::int64_t a, std::int64_t b) { return a + b; });
  check_scaled(31, tml_min_s8, [](std::int64_t a, std::int64_t b) { return a < b ? a : b; });
  check_scaled(32, tml_max_s8, [](std::int64_t a, std::int64_t b) { return a < b ? b : a; });
}

TEST_CASE("mul equals the reference", "[runtime]") {
  Random random(33);
  for (int i = 0; i < 600; ++i) {
    const bool in_place = random.chance(20);
    auto k = make_binary(random, !in_place);
    k.out = random_output(random, random.chance(80) ? 2 : 23);
    k.p.a_multiplier = random_multiplier(random, 16000, k.out.shift);
    const Bytes expected = each_element(k, [&](std::int64_t a, std::int64_t b) {
      return requantize((a - k.p.a_zero) * (b - k.p.b_zero), k.p.a_multiplier, k.out);
    });
    check_binary(random, k, tml_mul_s8, expected, in_place);
  }
}

TEST_CASE("div equals the reference", "[runtime]") {
  Random random(34);
  for (int i = 0; i < 600; ++i) {
    auto k = make_binary(random, true);
    k.out = random_output(random, 0);
    k.out.shift = static_cast<std::uint8_t>(random.chance(70) ? random.between(28, 40) : random.between(1, 62));
    for (int v = 0; v < 256; ++v) {
      k.reciprocals.push_back(static_cast<std::int32_t>(random.between(-INT32_MAX, INT32_MAX)));
    }
    k.p.table = k.reciprocals.data();
    const Bytes expected = each_element(k, [&](std::int64_t a, std::int64_t b) {
      return round_shift((a - k.p.a_zero) * k.reciprocals[static_cast<std::size_t>(b + 128)], k.out);
    });
    check_binary(random, k, tml_div_s8, expected, false);
  }
}

namespace {

// The table of pow for bases and exponents on random grids, by the header's words.
std::vector<std::int32_t> pow_table(const tml_binary_params& p, long double a_scale, long double b_scale) {
  std::vector<std::int32_t> table;
  for (int q = -128; q < 128; ++q) {
    const long double size = std::abs(q - p.a_zero) * a_scale;
    const long double log = size == 0 ? -2147483647.0L : std::log2(size) * b_scale * 8388608.0L;
    table.push_back(static_cast<std::int32_t>(std::clamp(std::round(log), -2147483647.0L, 2147483647.0L)));
  }
  for (int i = 0; i <= 64; ++i)
    table.push_back(static_cast<std::int32_t>(
        static_cast<std::uint32_t>(std::round(1073741824.0L * std::exp2(static_cast<long double>(i) / 64)))));
  std::vector<std::uint32_t> kinds(16, 0);
  for (int q = -128; q < 128; ++q) {
    const long double exponent = (q - p.b_zero) * b_scale;
    const bool whole = std::floor(exponent) == exponent;
    const std::uint32_t kind = !whole ? 2 : static_cast<std::int64_t>(exponent) % 2 == 0 ? 0 : 1;
    kinds[static_cast<std::size_t>(q + 128) / 16] |= kind << ((q + 128) % 16 * 2);
  }
  for (const std::uint32_t word : kinds) table.push_back(static_cast<std::int32_t>(word));
  return table;
}

}  // namespace

TEST_CASE("pow is within a hundredth of a unit of the real power", "[runtime]") {
  Random random(42);
  for (int i = 0; i < 400; ++i) {
    auto k = make_binary(random, true);
    k.out = random_output(random, 0);
    set_output(k.p, k.out);
    // Powers of two, so that some exponents are whole numbers.
    const long double a_scale = std::exp2(static_cast<long double>(random.between(-8, 0))),
                      b_scale = std::exp2(static_cast<long double>(random.between(-7, 0))),
                      out_scale = std::exp2(static_cast<long double>(random.between(-80, 50)) / 10);
    const auto table = pow_table(k.p, a_scale, b_scale);
    k.p.table = table.data();
    k.p.a_multiplier = static_cast<std::int32_t>(std::round(-std::log2(out_scale) * 8388608.0L));
    Arena arena;
    arena.add(k.a);
    arena.add(k.b);
    const auto y = arena.add_output(k.count);
    REQUIRE(arena.run(tml_pow_s8, &k.p) == TML_OK);
    const Bytes got = arena.read(y, k.count);
    std::vector<long double> exact;
    each_element(k, [&](std::int64_t a, std::int64_t b) {
      const long double power = std::pow((a - k.p.a_zero) * a_scale, (b - k.p.b_zero) * b_scale);
      const long double units = std::isnan(power) ? -1000 : power / out_scale;
      exact.push_back(
          std::clamp(units + k.out.zero, static_cast<long double>(k.out.low), static_cast<long double>(k.out.high)));
      return std::int8_t{0};
    });
    for (std::size_t e = 0; e < exact.size(); ++e) REQUIRE(std::abs(got[e] - exact[e]) <= 0.51L);
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("lut maps every value, in place too", "[runtime]") {
  Random random(35);
  const Bytes table = random.bytes(256);
  Bytes x, expected;
  for (int v = -128; v < 128; ++v) {
    x.push_back(static_cast<std::int8_t>(v));
    expected.push_back(table[static_cast<std::size_t>(v + 128)]);
  }
  const tml_lut_params p{table.data(), 256};
  Arena arena;
  const auto in = arena.add(x), out = arena.add_output(256);
  REQUIRE(arena.run(tml_lut_s8, &p) == TML_OK);
  CHECK(arena.read(out, 256) == expected);
  const std::uint32_t same[] = {in, in};
  REQUIRE(arena.run_with(tml_lut_s8, &p, same) == TML_OK);
  CHECK(arena.read(in, 256) == expected);
  CHECK(arena.guards_intact());
}

TEST_CASE("sum equals the reference", "[runtime]") {
  Random random(36);
  for (int i = 0; i < 500; ++i) {
    tml_sum_params p{};
    p.inputs = static_cast<std::uint32_t>(random.between(1, 6));
    p.count = static_cast<std::uint32_t>(random.between(0, 60));
    Output o = random_output(random, 0);
    o.shift = static_cast<std::uint8_t>(random.between(1, 30));
    set_output(p, o);
    const std::int32_t most = (1 << 22) / static_cast<std::int32_t>(p.inputs);
    Arena arena;
    std::vector<std::int64_t> acc(p.count, 0);
    std::vector<std::int32_t> multipliers;
    Bytes zeros;
    for (std::uint32_t n = 0; n < p.inputs; ++n) {
      const Bytes x = random.bytes(p.count);
      zeros.push_back(random.zero());
      multipliers.push_back(static_cast<std::int32_t>(random.chance(30) ? most : random.between(-most, most)));
      for (std::uint32_t e = 0; e < p.count; ++e) acc[e] += std::int64_t{x[e] - zeros[n]} * multipliers[n];
      arena.add(x);
    }
    p.zeros = zeros.data(), p.multipliers = multipliers.data();
    Bytes expected;
    for (const auto v : acc) expected.push_back(round_shift(v, o));
    const auto y = arena.add_output(p.count);
    REQUIRE(arena.run(tml_sum_s8, &p) == TML_OK);
    REQUIRE(arena.read(y, p.count) == expected);
    REQUIRE(arena.guards_intact());
  }
}

TEST_CASE("prelu equals the reference", "[runtime]") {
  Random random(37);
  for (int i = 0; i < 500; ++i) {
    tml_prelu_params p{};
    p.period = static_cast<std::uint32_t>(random.between(1, 7));
    p.count = p.period * static_cast<std::uint32_t>(random.between(0, 9));
    p.in_zero = random.zero();
    const Output o = random_output(random, random.chance(80) ? 2 : 23);
    set_output(p, o);
    p.positive = random_multiplier(random, 128, o.shift);
    std::vector<std::int32_t> negative;
    for (std::uint32_t c = 0; c < p.period; ++c) {
      negative.push_back(random_multiplier(random, 128, o.shift) * (random.chance(30) ? -1 : 1));
    }
    p.negative = negative.data();
    const Bytes x = random.bytes(p.count);
    Bytes expected;
    for (std::uint32_t e = 0; e < p.count; ++e) {
      expected.push_back(requantize(x[e] - p.in_zero, x[e] >= p.in_zero ? p.positive : negative[e % p.period], o));
    }
    Arena arena;
    arena.add(x);
    const auto y = arena.add_output(p.count);
    REQUIRE(arena.run(tml_prelu_s8, &p) == TML_OK);
    REQUIRE(arena.read(y, p.count) == expected);
    REQUIRE(arena.guards_intact());
  }
}

}  // namespace tinyml::test
