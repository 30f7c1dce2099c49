// Counts of multiply-accumulates: products of foreign dimensions, which pass 2^63 without being malformed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>

namespace tinyml {

// The product of numbers that are not negative, or the largest number that there is.
inline std::int64_t saturating_product(std::initializer_list<std::int64_t> factors) {
  std::int64_t product = 1;
  for (const std::int64_t factor : factors)
    if (__builtin_mul_overflow(product, factor, &product)) product = std::numeric_limits<std::int64_t>::max();
  return product;
}

inline std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

}  // namespace tinyml
