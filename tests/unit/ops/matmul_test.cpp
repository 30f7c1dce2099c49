// Gemm and MatMul against the definition in double precision.
#include "tests/unit/ops/single_op.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

double at(const Tensor& t, std::int64_t i) { return t.data<float>()[static_cast<std::size_t>(i)]; }

}  // namespace

TEST_CASE("Gemm equals its definition", "[ops][gemm]") {
  for (const std::int64_t ta : {0, 1})
    for (const std::int64_t tb : {0, 1})
      for (const auto& [m, k, n] :
           {std::array<std::int64_t, 3>{1, 640, 128}, {5, 3, 2}, {32, 17, 33}, {1, 1, 1}, {3, 8, 200}})
        for (const Dims& c_dims : std::vector<Dims>{{}, {n}, {1, n}, {m, 1}, {m, n}, {1}}) {
          const Tensor a = random_tensor(ta != 0 ? Dims{k, m} : Dims{m, k}, 1);
          const Tensor b = random_tensor(tb != 0 ? Dims{n, k} : Dims{k, n}, 2), c = random_tensor(c_dims, 3);
          const SingleOp op{"Gemm", {{"alpha", 0.5F}, {"beta", 2.0F}, {"transA", ta}, {"transB", tb}}, {a, b, c}};
          std::vector<double> expected;
          for (std::int64_t i = 0; i < m; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
              double sum = 0;
              for (std::int64_t p = 0; p < k; ++p)
                sum += at(a, ta != 0 ? p * m + i : i * k + p) * at(b, tb != 0 ? j * k + p : p * n + j);
              const std::int64_t rows = c_dims.size() == 2 ? c_dims[0] : 1,
                                 columns = c_dims.empty() ? 1 : c_dims.back();
              expected.push_back(0.5 * sum + 2 * at(c, (rows == 1 ? 0 : i) * columns + (columns == 1 ? 0 : j)));
            }
          CAPTURE(m, k, n, ta, tb, c_dims);
          check_close(op.run(false, 2)[0], expected, 0);
          check_close(op.run(true, 2)[0], expected, 0);
        }
}

TEST_CASE("MatMul broadcasts stacks as NumPy does", "[ops][matmul]") {
  struct Case {
    Dims a, b, out;
  };
  for (const Case& c : std::vector<Case>{{{3, 4}, {4, 5}, {3, 5}},
                                         {{4}, {4, 5}, {5}},
                                         {{3, 4}, {4}, {3}},
                                         {{4}, {4}, {}},
                                         {{2, 3, 4}, {4, 5}, {2, 3, 5}},
                                         {{2, 3, 4}, {2, 4, 5}, {2, 3, 5}},
                                         {{2, 1, 3, 4}, {5, 4, 1}, {2, 5, 3, 1}},
                                         {{4}, {2, 4, 5}, {2, 5}},
                                         {{2, 3, 4}, {4}, {2, 3}},
                                         {{0, 4}, {4, 5}, {0, 5}},
                                         {{2, 0}, {0, 3}, {2, 3}}}) {
    const Tensor a = random_tensor(c.a, 1), b = random_tensor(c.b, 2);
    for (const std::size_t first_constant : {1, 2})
      for (const bool fuse : {false, true}) {
        const Tensor y = SingleOp{"MatMul", {}, {a, b}, first_constant}.run(fuse)[0];
        CAPTURE(c.a, c.b, fuse);
        REQUIRE(y.dims() == c.out);
        const std::int64_t m = c.a.size() == 1 ? 1 : c.a[c.a.size() - 2], k = c.a.back();
        const std::int64_t n = c.b.size() == 1 ? 1 : c.b.back(), stack = m * n == 0 ? 0 : y.size() / (m * n);
        std::vector<double> expected;
        for (std::int64_t s = 0; s < stack; ++s) {
          // In these cases a stack of A varies slower than one of B, or both run together.
          const std::int64_t in_a = k == 0 ? 1 : a.size() / (m * k), in_b = k == 0 ? 1 : b.size() / (k * n);
          const std::int64_t sa = in_a == 1 ? 0 : in_a == stack ? s : s / (stack / in_a), sb = in_b == 1 ? 0 : s % in_b;
          for (std::int64_t i = 0; i < m; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
              double sum = 0;
              for (std::int64_t p = 0; p < k; ++p) sum += at(a, (sa * m + i) * k + p) * at(b, (sb * k + p) * n + j);
              expected.push_back(sum);
            }
        }
        check_close(y, expected, 0);
      }
  }
}

TEST_CASE("MatMul of integers wraps", "[ops][matmul]") {
  const std::vector<std::int64_t> a{1, -2, 3, 4}, b{5, 6, -7, 8};
  const Tensor y =
      SingleOp{"MatMul", {}, {Tensor::from<std::int64_t>({2, 2}, a), Tensor::from<std::int64_t>({2, 2}, b)}}.run()[0];
  CHECK(to_int64s(y) == std::vector<std::int64_t>{19, -10, -13, 50});
}

TEST_CASE("malformed products are Errors at inference", "[ops][matmul]") {
  const Tensor m = random_tensor({2, 3}, 1);
  CHECK_THROWS_AS((SingleOp{"MatMul", {}, {m, m}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"MatMul", {}, {m, random_tensor({}, 1)}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"MatMul", {}, {random_tensor({2, 2, 3}, 1), random_tensor({3, 3, 3}, 1)}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Gemm", {}, {m, m}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Gemm", {}, {random_tensor({6}, 1), m}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Gemm", {{"transB", std::int64_t{1}}}, {m, m, random_tensor({3}, 1)}}.graph()), Error);
}
