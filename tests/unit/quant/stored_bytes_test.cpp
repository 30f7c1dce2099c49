// Bytes of packed constants, against counts by hand.
#include "lib/quant/stored_bytes.h"

#include <catch2/catch.hpp>

using namespace tinyml;

namespace {

Tensor integers(DType type, std::int64_t count, int distinct) {
  Tensor t(type, {count});
  for (std::int64_t i = 0; i < count; ++i) t.raw()[i] = static_cast<std::byte>(i % distinct);
  return t;
}

}  // namespace

TEST_CASE("stored bytes: nibbles, codebooks and plain types", "[quant]") {
  const QuantParams i8{DType::i8, {1}, {0}, -1}, i4{DType::i4, {1}, {0}, -1}, moved{DType::i8, {1}, {3}, -1};
  CHECK(stored_bytes(integers(DType::i4, 7, 7), &i4) == 4);
  CHECK(stored_bytes(integers(DType::i8, 100, 16), &i8) == 50 + 16);
  CHECK(stored_bytes(integers(DType::i8, 100, 17), &i8) == 100);
  CHECK(stored_bytes(integers(DType::i8, 100, 16), &moved) == 100);   // no weights: an activation's grid
  CHECK(stored_bytes(integers(DType::i8, 100, 16), nullptr) == 100);  // integers of the model itself
  CHECK(stored_bytes(integers(DType::i8, 20, 2), &i8) == 20);         // the table would cost more
  CHECK(stored_bytes(Tensor(DType::i32, {5}), nullptr) == 20);
}

TEST_CASE("stored bytes: a codebook saves from 34 weights on", "[quant]") {
  CHECK_FALSE(codebook_saves(0));
  CHECK_FALSE(codebook_saves(32));
  CHECK_FALSE(codebook_saves(33));  // 17 + 16
  CHECK(codebook_saves(34));        // 17 + 16
}
