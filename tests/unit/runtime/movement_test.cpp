// movement_test.cpp: copy, remap, gather and bilinear resize against the reference.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

// A random permutation, cut and reversal of a dense tensor, written into a window of a larger one.
void check_copy(Random& random) {
  tml_copy_params p{};
  p.element_bytes = random.pick<std::uint8_t>({1, 1, 2, 4, 8});
  const bool mapped = p.element_bytes == 1 && random.chance(40);
  const Bytes table = random.bytes(256);
  p.table = mapped ? table.data() : nullptr;
  const std::int32_t bytes = p.element_bytes;
  int order[TML_MAX_DIMS] = {0, 1, 2, 3, 4, 5};
  if (random.chance(60)) {
    for (int d = 5; d > 0; --d) std::swap(order[d], order[random.between(0, d)]);
  }
  std::int32_t in_extent[TML_MAX_DIMS], in_size = bytes, out_size = bytes;
  for (int d = TML_MAX_DIMS; d-- > 0;) {  // the input, dense, in its own order
    in_extent[d] = static_cast<std::int32_t>(random.between(1, 4));
    p.in_strides[order[d]] = in_size;
    p.dims[order[d]] = static_cast<std::uint32_t>(random.between(1, in_extent[d]));
    if (random.chance(15)) {  // backwards
      p.in_offset += static_cast<std::uint32_t>(in_size) * (p.dims[order[d]] - 1);
      p.in_strides[order[d]] = -in_size;
    } else if (random.chance(15)) {  // the same element again
      p.in_strides[order[d]] = 0;
    }
    in_size *= in_extent[d];
  }
  for (int d = TML_MAX_DIMS; d-- > 0;) {
    const auto extent = static_cast<std::int32_t>(p.dims[d]) + (random.chance(25) ? 1 : 0);
    p.out_strides[d] = out_size;
    if (extent > static_cast<std::int32_t>(p.dims[d]) && random.chance(50)) {
      p.out_offset += static_cast<std::uint32_t>(out_size);
    }
    out_size *= extent;
  }
  const Bytes x = random.bytes(static_cast<std::size_t>(in_size));
  Bytes expected(static_cast<std::size_t>(out_size), 85);
  std::size_t count = 1;
  for (const auto d : p.dims) count *= d;
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t in = p.in_offset, out = p.out_offset;
    std::size_t rest = i;
    for (int d = TML_MAX_DIMS; d-- > 0; rest /= p.dims[d]) {
      in += static_cast<std::int64_t>(rest % p.dims[d]) * p.in_strides[d];
      out += static_cast<std::int64_t>(rest % p.dims[d]) * p.out_strides[d];
    }
    for (std::int32_t b = 0; b < bytes; ++b) {
      const auto v = x[static_cast<std::size_t>(in + b)];
      expected[static_cast<std::size_t>(out + b)] = mapped ? table[static_cast<std::size_t>(v + 128)] : v;
    }
  }
  if (random.chance(20)) p.in_const = x.data();
  Arena arena;
  arena.add(p.in_const != nullptr ? Bytes(1) : x);
  const auto y = arena.add_output(expected.size());
  REQUIRE(arena.run(tml_copy, &p) == TML_OK);
  CAPTURE(p.dims, p.in_strides, p.out_strides, p.in_offset, p.out_offset);
  REQUIRE(arena.read(y, expected.size()) == expected);
  REQUIRE(arena.guards_intact());
}

void check_remap(Random& random) {
  tml_remap_params p{};
  p.fill = random.zero();
  std::vector<std::int16_t> index[TML_MAX_REMAP_DIMS];
  std::size_t in_size = 1, out_size = 1;
  for (int d = 0; d < TML_MAX_REMAP_DIMS; ++d) {
    p.in_dims[d] = p.out_dims[d] = static_cast<std::uint32_t>(random.between(1, 5));
    if (random.chance(60)) {
      p.out_dims[d] = static_cast<std::uint32_t>(random.between(1, 6));
      for (std::uint32_t i = 0; i < p.out_dims[d]; ++i) {
        index[d].push_back(static_cast<std::int16_t>(random.between(-1, p.in_dims[d] - 1)));
      }
      p.index[d] = index[d].data();
    }
    in_size *= p.in_dims[d], out_size *= p.out_dims[d];
  }
  const Bytes x = random.bytes(in_size);
  Bytes expected;
  for (std::size_t i = 0; i < out_size; ++i) {
    std::size_t divisor = out_size, source = 0;
    bool inside = true;
    for (int d = 0; d < TML_MAX_REMAP_DIMS; ++d) {
      divisor /= p.out_dims[d];
      const std::size_t at = i / divisor % p.out_dims[d];
      const std::int64_t from = index[d].empty() ? static_cast<std::int64_t>(at) : index[d][at];
      inside = inside && from >= 0;
      if (inside) source = source * p.in_dims[d] + static_cast<std::size_t>(from);
    }
    expected.push_back(inside ? x[source] : static_cast<std::int8_t>(p.fill));
  }
  Arena arena;
  arena.add(x);
  const auto y = arena.add_output(out_size);
  REQUIRE(arena.run(tml_remap_s8, &p) == TML_OK);
  REQUIRE(arena.read(y, out_size) == expected);
  REQUIRE(arena.guards_intact());
}

template <typename Index>
void check_gather(Random& random) {
  tml_gather_params p{};
  p.outer = static_cast<std::uint32_t>(random.between(1, 3)),
  p.inner = static_cast<std::uint32_t>(random.between(1, 9));
  p.axis = static_cast<std::uint32_t>(random.between(1, 6)), p.count = static_cast<std::uint32_t>(random.between(1, 6));
  p.index_bytes = sizeof(Index);
  const std::int64_t axis = p.axis;
  const Bytes x = random.bytes(std::size_t{p.outer} * p.axis * p.inner);
  std::vector<Index> indices;
  bool bad = false;
  for (std::uint32_t j = 0; j < p.count; ++j) {
    auto index = random.between(-axis, axis - 1);
    if (random.chance(3)) index = random.pick<std::int64_t>({axis, -axis - 1, INT32_MAX, INT32_MIN});
    bad = bad || index < -axis || index >= axis;
    indices.push_back(static_cast<Index>(index));
  }
  Bytes expected;
  for (std::uint32_t o = 0; o < p.outer && !bad; ++o)
    for (std::uint32_t j = 0; j < p.count; ++j)
      for (std::uint32_t i = 0; i < p.inner; ++i) {
        const auto row = static_cast<std::size_t>((indices[j] + axis) % axis);
        expected.push_back(x[(o * p.axis + row) * p.inner + i]);
      }
  const bool constant = random.chance(50);
  p.data_const = constant ? x.data() : nullptr;
  Arena arena;
  arena.add(constant ? Bytes(1) : x);
  arena.add(indices.data(), indices.size() * sizeof(Index));
  const std::size_t size = std::size_t{p.outer} * p.count * p.inner;
  const auto y = arena.add_output(size);
  REQUIRE(arena.run(tml_gather_s8, &p) == (bad ? TML_ERROR_INDEX : TML_OK));
  if (!bad) REQUIRE(arena.read(y, size) == expected);
  REQUIRE(arena.guards_intact());
}

struct LinearAxis {
  std::vector<std::uint16_t> low, high, weight;
};

LinearAxis random_linear(Random& random, int in, int out) {
  LinearAxis a;
  for (int i = 0; i < out; ++i) {
    a.low.push_back(static_cast<std::uint16_t>(random.between(0, in - 1)));
    a.high.push_back(static_cast<std::uint16_t>(std::min(in - 1, a.low.back() + 1)));
    a.weight.push_back(
        static_cast<std::uint16_t>(random.chance(20) ? random.pick({0, 2048}) : random.between(0, 2048)));
  }
  return a;
}

void check_resize(Random& random) {
  tml_resize_linear_params p{};
  const auto size = [&] { return static_cast<std::uint16_t>(random.between(1, 7)); };
  p.batches = static_cast<std::uint16_t>(random.between(1, 2));
  p.in_h = size(), p.in_w = size(), p.out_h = size(), p.out_w = size(), p.channels = size();
  p.in_zero = random.zero();
  const Output o = random_output(random, random.chance(80) ? 3 : 23);
  set_output(p, o);
  p.multiplier = random_multiplier(random, 128, o.shift);
  const LinearAxis v = random_linear(random, p.in_h, p.out_h), h = random_linear(random, p.in_w, p.out_w);
  p.y_low = v.low.data(), p.y_high = v.high.data(), p.y_weight = v.weight.data();
  p.x_low = h.low.data(), p.x_high = h.high.data(), p.x_weight = h.weight.data();
  const Bytes x = random.bytes(std::size_t{p.batches} * p.in_h * p.in_w * p.channels);
  Bytes expected;
  for (int b = 0; b < p.batches; ++b)
    for (std::size_t oy = 0; oy < p.out_h; ++oy)
      for (std::size_t ox = 0; ox < p.out_w; ++ox)
        for (int c = 0; c < p.channels; ++c) {
          const auto at = [&](int row, int column) {
            return std::int64_t{x[static_cast<std::size_t>(((b * p.in_h + row) * p.in_w + column) * p.channels + c)]} -
                   p.in_zero;
          };
          const std::int64_t wy = v.weight[oy], wx = h.weight[ox];
          const std::int64_t acc = at(v.low[oy], h.low[ox]) * (2048 - wy) * (2048 - wx) +
                                   at(v.low[oy], h.high[ox]) * (2048 - wy) * wx +
                                   at(v.high[oy], h.low[ox]) * wy * (2048 - wx) + at(v.high[oy], h.high[ox]) * wy * wx;
          const auto product = static_cast<long double>(acc * p.multiplier);
          expected.push_back(clamped(std::floor(std::ldexp(product, o.shift - 54) + 0.5L), o));
        }
  Arena arena;
  arena.add(x);
  const auto y = arena.add_output(expected.size());
  REQUIRE(arena.run(tml_resize_linear_s8, &p) == TML_OK);
  REQUIRE(arena.read(y, expected.size()) == expected);
  REQUIRE(arena.guards_intact());
}

}  // namespace

TEST_CASE("copy equals the reference", "[runtime]") {
  Random random(60);
  for (int i = 0; i < 2000; ++i) check_copy(random);
}

TEST_CASE("remap equals the reference", "[runtime]") {
  Random random(61);
  for (int i = 0; i < 1000; ++i) check_remap(random);
}

TEST_CASE("gather equals the reference and reports an index out of range", "[runtime]") {
  Random random(62);
  for (int i = 0; i < 500; ++i) {
    check_gather<std::int32_t>(random);
    check_gather<std::int64_t>(random);
  }
}

TEST_CASE("resize_linear equals the reference", "[runtime]") {
  Random random(63);
  for (int i = 0; i < 1000; ++i) check_resize(random);
}

}  // namespace tinyml::test
