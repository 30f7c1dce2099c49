// AVX-512: one panel is one register. 24 accumulators at most, so that two or more columns of B stay in registers.
#include "lib/math/kernels.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace tinyml::math {
namespace {

struct V {
  __m512 v;
  static V load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static __mmask16 first(std::size_t n) { return static_cast<__mmask16>((1U << n) - 1U); }
  static V load_first(const float* p, std::size_t n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store_first(float* p, std::size_t n) const { _mm512_mask_storeu_ps(p, first(n), v); }
  static V broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static V zero() { return {_mm512_setzero_ps()}; }
  static V fma(V a, V b, V c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  static V add(V a, V b) { return {_mm512_add_ps(a.v, b.v)}; }
  static V mul(V a, V b) { return {_mm512_mul_ps(a.v, b.v)}; }
  static V div(V a, V b) { return {_mm512_div_ps(a.v, b.v)}; }
  static V round(V a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
  static V saturate(V x, V low, V high) { return {_mm512_min_ps(_mm512_max_ps(x.v, low.v), high.v)}; }
  // NaN of either wins.
  static V maximum(V a, V b) {
    const __m512 most = _mm512_max_ps(a.v, b.v);  // b when one is NaN
    return {_mm512_mask_mov_ps(most, _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q), a.v)};
  }
  // max and min return their second operand when one is NaN.
  static V clamp(V x, V low, V high) { return {_mm512_min_ps(high.v, _mm512_max_ps(low.v, x.v))}; }
};

}  // namespace
}  // namespace tinyml::math

#include "lib/math/kernels_template.h"
#include "lib/math/window_template.h"

namespace tinyml::math {

const KernelSet* avx512_kernels() {
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq"))
    return nullptr;
  static const KernelSet set = [] {
    KernelSet s{};
    s.name = "avx512";
    s.round_to_grid = round_to_grid;
    s.window_sum = window<SumBlock>;
    s.window_max = window<MaxBlock>;
    offer<1, 14>(s);
    offer<2, 12>(s);
    offer<3, 8>(s);
    offer<4, 6>(s);
    offer<8, 3>(s);
    return s;
  }();
  return &set;
}

}  // namespace tinyml::math
#else
namespace tinyml::math {
const KernelSet* avx512_kernels() { return nullptr; }
}  // namespace tinyml::math
#endif
