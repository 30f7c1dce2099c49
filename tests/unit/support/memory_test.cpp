// The account of memory: what is taken is given back, and the limit holds.
#include "lib/support/memory.h"

#include <catch2/catch.hpp>

#include "lib/ir/tensor.h"

using namespace tinyml;

TEST_CASE("memory past the limit is refused and the account stays exact", "[support]") {
  const std::size_t before = memory_left();
  {
    const Tensor small(DType::f32, {1000});
    CHECK(before - memory_left() >= 4000);
    CHECK(before - memory_left() < 5000);
    Tensor moved = small;
    const std::size_t with_two = memory_left();
    moved.reset(DType::f32, {10});  // the buffer is kept
    CHECK(memory_left() == with_two);
    const MemoryClaim claim(memory_left());
    CHECK(memory_left() == 0);
    CHECK_THROWS_AS(Tensor(DType::f32, {1}), MemoryError);
    CHECK_THROWS_AS(MemoryClaim(1), MemoryError);
    CHECK(memory_left() == 0);
  }
  CHECK(memory_left() == before);
  CHECK_THROWS_AS(MemoryClaim(SIZE_MAX), MemoryError);
  CHECK_THROWS_AS(take_memory(SIZE_MAX - 100), MemoryError);
  CHECK(memory_left() == before);
}
