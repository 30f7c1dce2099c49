// Transpose against an index computed from scratch for each element: all permutations of rank 4, sizes around the tile.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/ops/op_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

template <class T>
void check_all_permutations(const Dims& dims) {
  const Tensor x = iota<T>(dims);
  const Dims strides = row_major_strides(dims);
  std::vector<std::int64_t> perm{0, 1, 2, 3};
  do {
    const OpCase op = OpCase("Transpose", {{"perm", perm}}).input(x);
    const Tensor y = op.run(3)[0];
    const auto got = y.data<T>();
    INFO(to_string(dims) << " by " << to_string(Dims(perm)));
    bool equal = true;
    for (std::int64_t i = 0; i < y.size(); ++i) {
      std::int64_t rest = i, from = 0;
      for (std::size_t d = 4; d-- > 0; rest /= y.dims()[d])
        from += rest % y.dims()[d] * strides[static_cast<std::size_t>(perm[d])];
      equal = equal && got[static_cast<std::size_t>(i)] == x.data<T>()[static_cast<std::size_t>(from)];
    }
    REQUIRE(equal);
  } while (std::next_permutation(perm.begin(), perm.end()));
}

}  // namespace

TEST_CASE("Transpose moves every element to its place", "[ops]") {
  check_all_permutations<float>({2, 3, 33, 65});
  check_all_permutations<float>({1, 31, 1, 64});
  check_all_permutations<std::int64_t>({3, 1, 2, 40});
  check_all_permutations<std::int16_t>({32, 2, 17, 3});
  check_all_permutations<std::uint8_t>({2, 0, 3, 4});
}
