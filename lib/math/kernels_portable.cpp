// Portable: plain loops. std::fma keeps the results equal to the vector builds'; it is an instruction on most
// processors and slow where it is not.
#include <cmath>

#include "lib/math/kernels.h"

namespace tinyml::math {
namespace {

struct V {
  float v[kPanel];
  template <class F>
  static V each(F f) {
    V r;
    for (std::size_t i = 0; i < kPanel; ++i) r.v[i] = f(i);
    return r;
  }
  static V load(const float* p) {
    return each([p](std::size_t i) { return p[i]; });
  }
  static V load_first(const float* p, std::size_t n) {
    return each([p, n](std::size_t i) { return i < n ? p[i] : 0.0F; });
  }
  void store(float* p) const { store_first(p, kPanel); }
  void store_first(float* p, std::size_t n) const {
    for (std::size_t i = 0; i < n; ++i) p[i] = v[i];
  }
  static V broadcast(float x) {
    return each([x](std::size_t) { return x; });
  }
  static V zero() { return broadcast(0.0F); }
  static V fma(const V& a, const V& b, const V& c) {
    return each([&](std::size_t i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
  }
  static V add(const V& a, const V& b) {
    return each([&](std::size_t i) { return a.v[i] + b.v[i]; });
  }
  static V mul(const V& a, const V& b) {
    return each([&](std::size_t i) { return a.v[i] * b.v[i]; });
  }
  static V div(const V& a, const V& b) {
    return each([&](std::size_t i) { return a.v[i] / b.v[i]; });
  }
  static V round(const V& a) {
    return each([&](std::size_t i) { return std::nearbyint(a.v[i]); });
  }
  static V saturate(const V& x, const V& low, const V& high) {
    return each([&](std::size_t i) {
      const float raised = x.v[i] > low.v[i] ? x.v[i] : low.v[i];
      return raised < high.v[i] ? raised : high.v[i];
    });
  }
  static V maximum(const V& a, const V& b) {
    return each([&](std::size_t i) { return a.v[i] != a.v[i] || a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  static V clamp(const V& x, const V& low, const V& high) {
    return each([&](std::size_t i) {
      const float raised = x.v[i] < low.v[i] ? low.v[i] : x.v[i];
      return raised > high.v[i] ? high.v[i] : raised;
    });
  }
};

}  // namespace
}  // namespace tinyml::math

#include "lib/math/kernels_template.h"
#include "lib/math/window_template.h"

namespace tinyml::math {

const KernelSet& portable_kernels() {
  static const KernelSet set = [] {
    KernelSet s{};
    s.name = "portable";
    s.round_to_grid = round_to_grid;
    s.window_sum = window<SumBlock>;
    s.window_max = window<MaxBlock>;
    offer<1, 4>(s);
    return s;
  }();
  return set;
}

}  // namespace tinyml::math
