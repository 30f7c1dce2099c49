// reference.h: what the runtime's tests share: an arena with guard bytes, random data, and requantization written from
// the header's specification in extended precision. Nothing here is taken from the kernels.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "lib/runtime/tinyml_runtime.h"

extern "C" {
// The kernels of named_lanes.cpp.
int tml_depthwise_conv2d_s8_named_lanes(const tml_context* context, const void* params, const uint32_t* operands);
int tml_avg_pool2d_s8_named_lanes(const tml_context* context, const void* params, const uint32_t* operands);
}

namespace tinyml::test {

using Bytes = std::vector<std::int8_t>;

// Buffers one after the other, each followed by guard bytes that no kernel may touch.
class Arena {
 public:
  std::uint32_t add(const void* data, std::size_t bytes) {
    const std::size_t offset = size_;
    blocks_.resize((size_ + bytes + kGuardBytes) / sizeof(Block) + 1);
    if (bytes > 0) std::memcpy(at(offset), data, bytes);
    size_ += bytes;
    std::memset(at(size_), kGuard, kGuardBytes);
    guards_.push_back(size_);
    size_ = (size_ + kGuardBytes + 15) / 16 * 16;
    offsets_.push_back(static_cast<std::uint32_t>(offset));
    return offsets_.back();
  }
  std::uint32_t add(const Bytes& data) { return add(data.data(), data.size()); }
  std::uint32_t add_output(std::size_t bytes) { return add(Bytes(bytes, 85)); }

  Bytes read(std::uint32_t offset, std::size_t bytes) {
    Bytes data(bytes);
    if (bytes > 0) std::memcpy(data.data(), at(offset), bytes);
    return data;
  }

  bool guards_intact() {
    for (const std::size_t guard : guards_) {
      for (std::size_t i = 0; i < kGuardBytes; ++i) {
        if (*at(guard + i) != kGuard) return false;
      }
    }
    return true;
  }

  // With the operands in the order in which they were added, or with others.
  int run(tml_kernel kernel, const void* params) { return run_with(kernel, params, offsets_.data()); }
  int run_with(tml_kernel kernel, const void* params, const std::uint32_t* operands) {
    const tml_context context{at(0), nullptr};
    return kernel(&context, params, operands);
  }

 private:
  static constexpr std::uint8_t kGuard = 0xA7;
  static constexpr std::size_t kGuardBytes = 19;
  std::uint8_t* at(std::size_t offset) { return reinterpret_cast<std::uint8_t*>(blocks_.data()) + offset; }
  struct alignas(TML_ARENA_ALIGN) Block {
    std::uint8_t bytes[TML_ARENA_ALIGN];
  };
  std::vector<Block> blocks_;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> offsets_;
  std::vector<std::size_t> guards_;
};

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto span = static_cast<std::uint64_t>(high - low) + 1;
    return low + static_cast<std::int64_t>((static_cast<std::uint64_t>(engine_()) << 32 | engine_()) % span);
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  template <typename T>
  T pick(std::initializer_list<T> values) {
    return values.begin()[between(0, static_cast<std::int64_t>(values.size()) - 1)];
  }
  // Mostly anything, sometimes only the extremes.
  Bytes bytes(std::size_t count, int low = -128, int high = 127) {
    Bytes data(count);
    const bool extreme = chance(15);
    for (auto& v : data) v = static_cast<std::int8_t>(extreme ? (chance(50) ? low : high) : between(low, high));
    return data;
  }
  std::int8_t zero() { return pick<std::int8_t>({-128, 127, 0, static_cast<std::int8_t>(between(-128, 127))}); }

 private:
  std::mt19937 engine_;
};

// How a result leaves a kernel.
struct Output {
  std::int8_t zero = 0, low = -128, high = 127;
  std::uint8_t shift = 0;
};

inline Output random_output(Random& random, std::uint8_t shift_max) {
  Output o;
  o.zero = random.zero();
  if (random.chance(50)) {
    o.low = static_cast<std::int8_t>(random.between(-128, 127));
    o.high = static_cast<std::int8_t>(random.between(o.low, 127));
  }
  o.shift = static_cast<std::uint8_t>(random.between(0, shift_max));
  return o;
}

template <typename Params>
void set_output(Params& p, const Output& o) {
  p.shift = o.shift;
  p.out_zero = o.zero;
  p.clamp_min = o.low;
  p.clamp_max = o.high;
}

inline std::int8_t clamped(long double value, const Output& o) {
  const long double y = static_cast<long double>(o.zero) + value;
  if (y < o.low) return o.low;
  if (y > o.high) return o.high;
  return static_cast<std::int8_t>(y);
}

// zero + floor(acc * multiplier / 2^(32 - shift) + 1/2). The product has at most 62 bits and fits into the 64 bits (or
// more) of a long double's significand, so every step is exact.
inline std::int8_t requantize(std::int64_t acc, std::int64_t multiplier, const Output& o) {
  const auto product = static_cast<long double>(acc * multiplier);
  return clamped(std::floor(std::ldexp(product, o.shift - 32) + 0.5L), o);
}

// Multipliers that bring accumulators of the given size to the int8 range, or anything at all.
inline std::int32_t random_multiplier(Random& random, double accumulator, std::uint8_t shift) {
  if (random.chance(10)) return static_cast<std::int32_t>(random.between(0, INT32_MAX));
  const double real = 128.0 / (accumulator + 1) * static_cast<double>(random.between(50, 300)) / 100.0;
  const double scaled = std::ldexp(real, 32 - shift);
  return static_cast<std::int32_t>(scaled < 2147483647.0 ? scaled : 2147483647.0);
}

// Multipliers with codes of ten bits (kernels/channel_word.h), near those of random_multiplier, and biases of 22 bits.
inline void shorten(Random& random, std::vector<std::int32_t>& multipliers, std::vector<std::int32_t>& bias) {
  std::int32_t largest = 1;
  for (const std::int32_t m : multipliers) largest = std::max(largest, m);
  int left = 0;
  while (largest >> left > 1023) ++left;
  const std::int64_t shift = 22 - left;
  for (std::int32_t& m : multipliers) {
    const std::int64_t code = random.chance(5) ? 1023 : m >> left;
    m = static_cast<std::int32_t>((code * 4194304 + 0x155500 + shift) >> shift);
  }
  for (std::int32_t& b : bias) {
    b = std::clamp(b, -(1 << 21), (1 << 21) - 1);
    if (random.chance(3)) b = random.chance(50) ? -(1 << 21) : (1 << 21) - 1;
  }
}

}  // namespace tinyml::test
