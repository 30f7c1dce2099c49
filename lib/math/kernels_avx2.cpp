// AVX2 with FMA: one panel is two registers; 12 accumulators at most.
#include "lib/math/kernels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

namespace tinyml::math {
namespace {

struct V {
  __m256 lo, hi;
  static V load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static V load_first(const float* p, std::size_t n) {
    alignas(32) float buffer[kPanel] = {};
    for (std::size_t i = 0; i < n; ++i) buffer[i] = p[i];
    return load(buffer);
  }
  void store(float* p) const {
    _mm256_storeu_ps(p, lo);
    _mm256_storeu_ps(p + 8, hi);
  }
  void store_first(float* p, std::size_t n) const {
    alignas(32) float buffer[kPanel];
    store(buffer);
    for (std::size_t i = 0; i < n; ++i) p[i] = buffer[i];
  }
  static V broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static V zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static V fma(V a, V b, V c) { return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)}; }
  static V add(V a, V b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
  static V mul(V a, V b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
  static V div(V a, V b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
  static V round(V a) {
    constexpr int kMode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(a.lo, kMode), _mm256_round_ps(a.hi, kMode)};
  }
  static V saturate(V x, V low, V high) {
    return {_mm256_min_ps(_mm256_max_ps(x.lo, low.lo), high.lo), _mm256_min_ps(_mm256_max_ps(x.hi, low.hi), high.hi)};
  }
  // NaN of either wins: max alone gives b when one is NaN.
  static __m256 maximum(__m256 a, __m256 b) {
    return _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
  }
  static V maximum(V a, V b) { return {maximum(a.lo, b.lo), maximum(a.hi, b.hi)}; }
  // max and min return their second operand when one is NaN.
  static V clamp(V x, V low, V high) {
    return {_mm256_min_ps(high.lo, _mm256_max_ps(low.lo, x.lo)), _mm256_min_ps(high.hi, _mm256_max_ps(low.hi, x.hi))};
  }
};

}  // namespace
}  // namespace tinyml::math

#include "lib/math/kernels_template.h"
#include "lib/math/window_template.h"

namespace tinyml::math {

const KernelSet* avx2_kernels() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return nullptr;
  static const KernelSet set = [] {
    KernelSet s{};
    s.name = "avx2";
    s.round_to_grid = round_to_grid;
    s.window_sum = window<SumBlock>;
    s.window_max = window<MaxBlock>;
    offer<1, 6>(s);
    offer<2, 3>(s);
    offer<4, 1>(s);
    return s;
  }();
  return &set;
}

}  // namespace tinyml::math
#else
namespace tinyml::math {
const KernelSet* avx2_kernels() { return nullptr; }
}  // namespace tinyml::math
#endif
