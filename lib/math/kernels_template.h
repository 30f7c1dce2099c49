// The kernels' one text, over a vector of kPanel floats `V` that the including file defines in its anonymous namespace,
// as each is compiled for another instruction set: nothing here may be shared between object files.
// V: load, load_first(n), store, store_first(n), broadcast, zero, fma(a, b, c), add, mul, div,
// round (half to even), clamp (NaN passes), saturate (NaN becomes low).

namespace tinyml::math {
namespace {

template <int Rows, int Panels>
void tile_start(const Tile& t, V (&acc)[Rows][Panels]) {
#pragma GCC unroll 16
  for (int p = 0; p < Panels; ++p) {
    const V bias = t.column_bias != nullptr ? V::load(t.column_bias + static_cast<std::size_t>(p) * kPanel) : V::zero();
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) acc[m][p] = t.row_bias != nullptr ? V::broadcast(t.row_bias[m]) : bias;
  }
}

template <int Rows, int Panels>
void tile_finish(const Tile& t, V (&acc)[Rows][Panels]) {
  const V low = V::broadcast(t.low), high = V::broadcast(t.high);
#pragma GCC unroll 16
  for (int p = 0; p < Panels; ++p) {
    const std::size_t column = static_cast<std::size_t>(p) * kPanel;
    if (column >= t.columns) break;
    const std::size_t count = t.columns - column;
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) {
      V y = acc[m][p];
      float* c = t.c + static_cast<std::size_t>(m) * t.c_row + column;
      if (count >= kPanel) {
        if (t.add != nullptr) y = V::add(y, V::load(t.add + static_cast<std::size_t>(m) * t.add_row + column));
        V::clamp(y, low, high).store(c);
      } else {
        if (t.add != nullptr)
          y = V::add(y, V::load_first(t.add + static_cast<std::size_t>(m) * t.add_row + column, count));
        V::clamp(y, low, high).store_first(c, count);
      }
    }
  }
}

// One step of k: the operand of which there are fewer stays in registers, the other streams by.
template <int Rows, int Panels>
inline void tile_step(const float* a, std::size_t row, const float* b, std::size_t panel, V (&acc)[Rows][Panels]) {
  if constexpr (Panels <= Rows || Panels <= 4) {
    V column[Panels];
#pragma GCC unroll 16
    for (int p = 0; p < Panels; ++p) column[p] = V::load(b + static_cast<std::size_t>(p) * panel);
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) {
      const V x = V::broadcast(a[static_cast<std::size_t>(m) * row]);
#pragma GCC unroll 16
      for (int p = 0; p < Panels; ++p) acc[m][p] = V::fma(x, column[p], acc[m][p]);
    }
  } else {
    V x[Rows];
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) x[m] = V::broadcast(a[static_cast<std::size_t>(m) * row]);
#pragma GCC unroll 16
    for (int p = 0; p < Panels; ++p) {
      const V column = V::load(b + static_cast<std::size_t>(p) * panel);
#pragma GCC unroll 16
      for (int m = 0; m < Rows; ++m) acc[m][p] = V::fma(x[m], column, acc[m][p]);
    }
  }
}

template <int Rows, int Panels>
void tile(const Tile& t) {
  V acc[Rows][Panels];
  tile_start(t, acc);
  const float* b = t.b;
  const std::size_t row = t.a_row, panel = t.b_panel, step = t.b_step;
  for (std::size_t s = 0; s < t.segments; ++s) {
    const float* a = t.a + t.segment[s];
    for (std::size_t k = 0; k < t.length; ++k, ++a, b += step) tile_step<Rows, Panels>(a, row, b, panel, acc);
  }
  tile_finish(t, acc);
}

// Adding 0 turns -0 into 0: an integer zero has no sign.
void round_to_grid(float* data, std::size_t count, float scale, float low, float high) {
  const V s = V::broadcast(scale), l = V::broadcast(low), h = V::broadcast(high), zero = V::zero();
  std::size_t i = 0;
  for (; i + kPanel <= count; i += kPanel)
    V::mul(V::add(V::saturate(V::round(V::div(V::load(data + i), s)), l, h), zero), s).store(data + i);
  if (i < count)
    V::mul(V::add(V::saturate(V::round(V::div(V::load_first(data + i, count - i), s)), l, h), zero), s)
        .store_first(data + i, count - i);
}

template <int Panels, int Rows>
void fill_rows(KernelSet& set) {
  set.tile[Panels][Rows] = &tile<Rows, Panels>;
  if constexpr (Rows > 1) fill_rows<Panels, Rows - 1>(set);
}

template <int Panels, int Rows>
void offer(KernelSet& set) {
  set.max_rows[Panels] = Rows;
  fill_rows<Panels, Rows>(set);
}

}  // namespace
}  // namespace tinyml::math
