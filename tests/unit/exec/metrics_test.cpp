// Metrics against values worked out by hand.
#include "lib/exec/metrics.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "lib/support/error.h"

using namespace tinyml;

namespace {

Tensor tensor(Dims dims, const std::vector<float>& values) { return Tensor::from<float>(std::move(dims), values); }

}  // namespace

TEST_CASE("accuracy, confusion and per-class figures", "[exec]") {
  Classification c(2);
  // predictions 0, 2, 1, 0 for labels 0, 1, 1, 2; the label is among the best two of samples 0, 1, 2 only
  c.add(tensor({2, 3}, {0.9F, 0.1F, 0.0F, 0.1F, 0.4F, 0.5F}), std::vector<std::int64_t>{0, 1});
  c.add(tensor({2, 3, 1, 1}, {0.2F, 0.7F, 0.1F, 0.6F, 0.3F, 0.1F}), std::vector<std::int64_t>{1, 2});
  CHECK(c.samples() == 4);
  CHECK(c.top1() == 0.5);
  CHECK(c.topk() == 0.75);
  CHECK(c.confusion() == std::vector<std::size_t>{1, 0, 0, 0, 1, 1, 1, 0, 0});
  const auto per_class = c.per_class();
  CHECK(per_class[0].recall == 1.0);
  CHECK(per_class[0].precision == 0.5);
  CHECK(per_class[0].f1 == Approx(2.0 / 3));
  CHECK(per_class[1].recall == 0.5);
  CHECK(per_class[1].precision == 1.0);
  CHECK(per_class[2].recall == 0.0);
}

TEST_CASE("of equal scores the lower class is first", "[exec]") {
  Classification c(2);
  c.add(tensor({2, 3}, {1, 1, 1, 1, 1, 1}), std::vector<std::int64_t>{0, 2});
  CHECK(c.top1() == 0.5);
  CHECK(c.topk() == 0.5);
  CHECK(predicted_classes(tensor({1, 3}, {1, 2, 2})) == std::vector<std::int64_t>{1});
}

TEST_CASE("one score a sample is a yes or no", "[exec]") {
  Classification c(5);
  c.add(tensor({3, 1}, {0.2F, 0.5F, 0.8F}), std::vector<std::int64_t>{0, 1, 1});
  CHECK(c.classes() == 2);
  CHECK(c.k() == 2);
  CHECK(c.top1() == Approx(2.0 / 3));
}

TEST_CASE("labels that are no class are refused", "[exec]") {
  Classification c;
  CHECK_THROWS_WITH(c.add(tensor({1, 3}, {1, 2, 3}), std::vector<std::int64_t>{3}),
                    Catch::Contains("label 3 of sample 0") && Catch::Contains("3 classes"));
}

TEST_CASE("squared errors are means per sample", "[exec]") {
  const auto errors = squared_errors(tensor({2, 2}, {1, 2, 3, 4}), tensor({2, 2}, {1, 4, 0, 0}));
  CHECK(errors == std::vector<double>{2, 12.5});
  CHECK(mean(errors) == 7.25);
  CHECK_THROWS_AS(squared_errors(tensor({2, 2}, {1, 2, 3, 4}), tensor({2, 1}, {1, 4})), Error);
}

TEST_CASE("area under the ROC curve counts pairs", "[exec]") {
  const std::vector<std::int64_t> labels{0, 0, 1, 1};
  CHECK(area_under_curve(std::vector<double>{0.1, 0.4, 0.35, 0.8}, labels) == 0.75);  // 3 of 4 pairs in order
  CHECK(area_under_curve(std::vector<double>{1, 2, 3, 4}, labels) == 1.0);
  CHECK(area_under_curve(std::vector<double>{4, 3, 2, 1}, labels) == 0.0);
  CHECK(area_under_curve(std::vector<double>{1, 1, 1, 1}, labels) == 0.5);
  CHECK_THROWS_WITH(area_under_curve(std::vector<double>{1, 2}, std::vector<std::int64_t>{1, 1}),
                    Catch::Contains("all labels are the same"));
  CHECK_THROWS_AS(area_under_curve(std::vector<double>{1, 2}, std::vector<std::int64_t>{0, 2}), Error);
}

TEST_CASE("SQNR, cosine and largest error, streamed", "[exec]") {
  Difference d;
  d.add(tensor({2}, {3, 4}), tensor({2}, {3, 4}));
  CHECK(d.sqnr_db() == 200.0);
  CHECK(d.cosine() == Approx(1.0));
  d.add(tensor({1}, {0}), tensor({1}, {0.5F}));  // signal 25, noise 0.25
  CHECK(d.sqnr_db() == Approx(20.0));
  CHECK(d.max_error() == 0.5);
  CHECK(d.cosine() == Approx(25 / (5 * 5.024938)));
  CHECK(d.mse() == Approx(0.25 / 3));
  CHECK(d.reference_min() == 0);
  CHECK(d.reference_max() == 4);
  Difference opposite;
  opposite.add(tensor({2}, {1, 0}), tensor({2}, {-1, 0}));
  CHECK(opposite.cosine() == -1.0);
  CHECK_THROWS_AS(opposite.add(tensor({2}, {1, 0}), tensor({1}, {1})), Error);
}

TEST_CASE("histogram of differences", "[exec]") {
  DifferenceHistogram h({0.25, 1});
  h.add(tensor({4}, {0, 0, 0, 0}), tensor({4}, {0, 0.25F, -0.5F, 1}));
  CHECK(h.counts() == std::vector<std::size_t>{1, 2, 1});
}

TEST_CASE("equal infinities and NaN are no error, others an infinite one", "[exec]") {
  const float inf = INFINITY, nan = NAN;
  const auto tensor = [](std::vector<float> v) {
    return Tensor::from<float>({static_cast<std::int64_t>(v.size())}, std::span<const float>(v));
  };
  Difference same;
  same.add(tensor({inf, -inf, nan, 1, 2}), tensor({inf, -inf, nan, 1, 2}));
  CHECK(same.sqnr_db() == 200);
  CHECK(same.max_error() == 0);
  CHECK(same.not_finite() == 3);
  CHECK(same.reference_min() == 1);
  Difference other;
  other.add(tensor({inf, 1}), tensor({1, 1}));
  CHECK(other.sqnr_db() == -200);
  CHECK(std::isinf(other.max_error()));
}
