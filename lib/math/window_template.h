// The window kernels' one text (see kernels_template.h, which is included before): channels-last data, one panel of
// channels and up to kMostPixels neighbouring outputs at a time, as that many independent chains.

namespace tinyml::math {
namespace {

constexpr int kMostPixels = 8;

// Loads and stores of a whole panel of channels, or of its first `count`.
template <bool Whole>
inline V load_channels(const float* p, std::size_t count) {
  if constexpr (Whole) return V::load(p);
  return V::load_first(p, count);
}

template <bool Whole>
inline void store_channels(const V& v, float* p, std::size_t count) {
  if constexpr (Whole)
    v.store(p);
  else
    v.store_first(p, count);
}

template <bool Whole, int Pixels>
inline void finish_sums(const WindowRun& r, V (&acc)[Pixels], std::size_t at, std::size_t count) {
  const V low = V::broadcast(r.low), high = V::broadcast(r.high);
#pragma GCC unroll 8
  for (int p = 0; p < Pixels; ++p) {
    const std::size_t offset = at + static_cast<std::size_t>(p) * r.y_pixel;
    V y = acc[p];
    if (r.add != nullptr) y = V::add(y, load_channels<Whole>(r.add + offset, count));
    store_channels<Whole>(V::clamp(y, low, high), r.y + offset, count);
  }
}

template <int Pixels, bool Whole>
struct SumBlock {
  static void run(const WindowRun& r, const float* x, std::size_t channel, std::size_t at, std::size_t count) {
    const V bias = r.bias != nullptr ? V::load(r.bias + channel) : V::zero();
    V acc[Pixels];
#pragma GCC unroll 8
    for (int p = 0; p < Pixels; ++p) acc[p] = bias;
    const float* weights = r.weights + channel;
    const std::ptrdiff_t step = r.x_pixel;
    for (std::size_t i = 0; i < r.rows; ++i, x += r.tap_row, weights += r.weight_row) {
      const float* tap = x;
      const float* weight = weights;
      for (std::size_t j = 0; j < r.columns; ++j, tap += r.tap_column, weight += r.weight_column) {
        const V w = V::load(weight);
#pragma GCC unroll 8
        for (int p = 0; p < Pixels; ++p) acc[p] = V::fma(load_channels<Whole>(tap + p * step, count), w, acc[p]);
      }
    }
    finish_sums<Whole>(r, acc, at, count);
  }
};

template <int Pixels, bool Whole>
struct MaxBlock {
  static void run(const WindowRun& r, const float* x, std::size_t, std::size_t at, std::size_t count) {
    V acc[Pixels];
    const std::ptrdiff_t step = r.x_pixel;
#pragma GCC unroll 8
    for (int p = 0; p < Pixels; ++p) acc[p] = load_channels<Whole>(x + p * step, count);
    for (std::size_t i = 0; i < r.rows; ++i, x += r.tap_row) {
      const float* tap = x;
      for (std::size_t j = 0; j < r.columns; ++j, tap += r.tap_column) {
#pragma GCC unroll 8
        for (int p = 0; p < Pixels; ++p) acc[p] = V::maximum(acc[p], load_channels<Whole>(tap + p * step, count));
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < Pixels; ++p)
      store_channels<Whole>(acc[p], r.y + at + static_cast<std::size_t>(p) * r.y_pixel, count);
  }
};

using BlockKernel = void (*)(const WindowRun&, const float*, std::size_t, std::size_t, std::size_t);

template <template <int, bool> class Block, bool Whole>
inline void run_panel(const WindowRun& r, std::size_t channel, std::size_t count) {
  static constexpr BlockKernel blocks[kMostPixels + 1] = {nullptr,
                                                          Block<1, Whole>::run,
                                                          Block<2, Whole>::run,
                                                          Block<3, Whole>::run,
                                                          Block<4, Whole>::run,
                                                          Block<5, Whole>::run,
                                                          Block<6, Whole>::run,
                                                          Block<7, Whole>::run,
                                                          Block<8, Whole>::run};
  const float* x = r.x + channel;
  for (std::size_t done = 0; done < r.pixels;) {
    const std::size_t left = r.pixels - done, most = kMostPixels;
    const std::size_t now = left >= most ? most : left;
    blocks[now](r, x, channel, done * r.y_pixel + channel, count);
    done += now;
    x += static_cast<std::ptrdiff_t>(now) * r.x_pixel;
  }
}

template <template <int, bool> class Block>
void window(const WindowRun& r) {
  std::size_t channel = 0;
  for (; channel + kPanel <= r.channels; channel += kPanel) run_panel<Block, true>(r, channel, kPanel);
  if (channel < r.channels) run_panel<Block, false>(r, channel, r.channels - channel);
}

}  // namespace
}  // namespace tinyml::math
