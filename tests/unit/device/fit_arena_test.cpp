// The choice of forms under a bound on the arena, against a model in which the arena is that of the widest step.
#include "lib/device/fit_arena.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

using namespace tinyml;

namespace {

using Forms = std::vector<std::vector<FormCost>>;

auto widest(const Forms& forms) {
  return [&forms](const std::vector<std::size_t>& choice, std::size_t) {
    std::size_t bytes = 0;
    for (std::size_t s = 0; s < forms.size(); ++s) bytes = std::max(bytes, forms[s][choice[s]].bytes);
    return bytes;
  };
}

const Forms kForms{{{100, 50}, {140, 10}}, {{60, 50}, {90, 20}, {100, 5}, {130, 1}}, {{100, 9}}};

}  // namespace

TEST_CASE("the least arena, then the fewest instructions within it", "[device]") {
  CHECK(fit_arena(kForms, std::nullopt, widest(kForms)) == std::vector<std::size_t>{0, 2, 0});
}

TEST_CASE("a bound leaves room for faster forms", "[device]") {
  CHECK(fit_arena(kForms, 135, widest(kForms)) == std::vector<std::size_t>{0, 3, 0});
  CHECK(fit_arena(kForms, 1000, widest(kForms)) == std::vector<std::size_t>{1, 3, 0});
}

TEST_CASE("a bound that cannot be met gives the least arena", "[device]") {
  CHECK(fit_arena(kForms, 10, widest(kForms)) == std::vector<std::size_t>{0, 2, 0});
}

TEST_CASE("steps that share the peak all become lean", "[device]") {
  const Forms forms{{{120, 1}, {100, 5}}, {{120, 1}, {100, 5}}, {{80, 1}, {70, 5}}};
  CHECK(fit_arena(forms, std::nullopt, widest(forms)) == std::vector<std::size_t>{1, 1, 0});
}

TEST_CASE("a form of unknown cost gives way to a known one", "[device]") {
  const Forms forms{{{100, std::numeric_limits<double>::infinity()}, {100, 5}}};
  CHECK(fit_arena(forms, std::nullopt, widest(forms)) == std::vector<std::size_t>{1});
  CHECK(
      fit_arena({}, std::nullopt, [](const std::vector<std::size_t>&, std::size_t) { return std::size_t{0}; }).empty());
}
