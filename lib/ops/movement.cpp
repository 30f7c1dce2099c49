// Views are simplified first: dimensions of 1 vanish and neighbours that are dense to each other merge, so that most
// copies end in memcpy or in one strided inner loop of elements of 1, 2, 4 or 8 bytes.
#include "lib/ops/movement.h"

#include <algorithm>
#include <cstring>

#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

BroadcastPlan<1> simplify(const StridedView& view) {
  BroadcastPlan<1> plan;
  plan.out_dims = view.dims;
  Dims& strides = plan.strides[0];
  for (std::size_t d = 0; d < view.dims.size(); ++d) {
    if (view.dims[d] == 1) continue;
    if (!plan.dims.empty() && strides.back() == view.dims[d] * view.strides[d]) {
      plan.dims.back() *= view.dims[d];
      strides.back() = view.strides[d];
    } else {
      plan.dims.push_back(view.dims[d]);
      strides.push_back(view.strides[d]);
    }
  }
  if (plan.dims.empty()) {
    plan.dims.push_back(1);
    strides.push_back(0);
  }
  return plan;
}

template <class T>
void copy_row(const T* from, std::int64_t stride, T* to, std::int64_t n) {
  if (stride == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  } else if (stride == 0) {
    std::fill(to, to + n, *from);
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
  }
}

// A plan whose last two dimensions are a matrix read along its columns: rows of `to` are `width` long, and neighbours
// in a column are neighbours in memory.
bool is_transposition(const BroadcastPlan<1>& plan) {
  const std::size_t rank = plan.dims.size();
  return rank >= 2 && plan.strides[0][rank - 2] == 1 && plan.strides[0][rank - 1] > 1;
}

// Rows [begin, end) of that matrix (all matrices of the plan stand one below the other), tile by tile, so that both
// sides stay in the cache.
template <class T>
void transpose_rows(const BroadcastPlan<1>& plan, const T* from, T* to, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t kTile = 32;
  const std::size_t rank = plan.dims.size();
  const std::int64_t height = plan.dims[rank - 2], width = plan.dims[rank - 1], stride = plan.strides[0][rank - 1];
  for (std::int64_t row = begin; row < end;) {
    std::int64_t offset = row % height, rest = row / height;
    const std::int64_t rows = std::min({kTile, height - offset, end - row});
    for (std::size_t d = rank - 2; d-- > 0; rest /= plan.dims[d]) offset += rest % plan.dims[d] * plan.strides[0][d];
    T* out = to + row * width;
    for (std::int64_t column = 0; column < width; column += kTile)
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = column; c < std::min(width, column + kTile); ++c)
          out[r * width + c] = from[offset + r + c * stride];
    row += rows;
  }
}

// One axis table as runs: entries that follow each other are copied at once.
struct Run {
  std::int64_t from;  // negative: fill
  std::int64_t length;
};
std::vector<Run> runs_of(const std::vector<std::int64_t>& table) {
  std::vector<Run> runs;
  for (const std::int64_t at : table) {
    const bool fill = at < 0;
    if (!runs.empty()) {
      Run& last = runs.back();
      if (fill ? last.from < 0 : last.from >= 0 && at == last.from + last.length) {
        ++last.length;
        continue;
      }
    }
    runs.push_back({fill ? -1 : at, 1});
  }
  return runs;
}

}  // namespace

void copy_view(const Tensor& source, const StridedView& view, Tensor& out, ThreadPool& threads) {
  const BroadcastPlan<1> plan = simplify(view);
  const std::int64_t stride = plan.strides[0].back();
  visit_element_size(source.dtype(), [&]<class T>(T) {
    const T* from = reinterpret_cast<const T*>(source.raw()) + view.offset;
    T* to = reinterpret_cast<T*>(out.raw());
    if (is_transposition(plan)) {
      const auto width = static_cast<std::size_t>(std::max<std::int64_t>(plan.dims.back(), 1));
      return threads.parallel_for(
          static_cast<std::size_t>(out.size()) / width, std::max<std::size_t>(1, kElementGrain / width),
          [&](std::size_t begin, std::size_t end) {
            transpose_rows(plan, from, to, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
          });
    }
    threads.parallel_for(static_cast<std::size_t>(out.size()), kElementGrain, [&](std::size_t begin, std::size_t end) {
      walk_rows(plan, begin, end, [&](std::size_t at, const std::array<std::int64_t, 1>& offset, std::int64_t n) {
        copy_row(from + offset[0], stride, to + at, n);
      });
    });
  });
}

void copy_block(const Tensor& source, Tensor& out, std::int64_t outer, std::int64_t length, std::int64_t stride,
                std::int64_t offset) {
  const std::size_t size = byte_size(source.dtype());
  const auto bytes = static_cast<std::size_t>(length) * size;
  if (bytes == 0) return;
  const std::byte* from = source.raw();
  std::byte* to = out.raw() + static_cast<std::size_t>(offset) * size;
  for (std::int64_t i = 0; i < outer; ++i, from += bytes, to += static_cast<std::size_t>(stride) * size)
    std::memcpy(to, from, bytes);
}

void gather_axes(const Tensor& source, std::span<const std::vector<std::int64_t>> tables, const std::byte* fill,
                 Tensor& out, ThreadPool& threads) {
  const std::size_t rank = tables.size();
  const Dims strides = row_major_strides(source.dims());
  const std::vector<std::int64_t> single{0};
  const std::vector<std::int64_t>& last = rank == 0 ? single : tables[rank - 1];
  const std::vector<Run> inner = runs_of(last);
  const std::int64_t width = rank == 0 ? 1 : out.dims()[rank - 1];
  if (out.size() == 0) return;
  const bool short_runs = inner.size() > last.size() / 8;  // then element by element is faster than run by run
  visit_element_size(source.dtype(), [&]<class T>(T) {
    const T* from = reinterpret_cast<const T*>(source.raw());
    T value{};
    if (fill != nullptr) std::memcpy(&value, fill, sizeof(T));
    const auto rows = static_cast<std::size_t>(out.size() / width);
    const std::size_t grain = std::max<std::size_t>(1, kElementGrain / static_cast<std::size_t>(width));
    threads.parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
      T* to = reinterpret_cast<T*>(out.raw()) + begin * static_cast<std::size_t>(width);
      for (std::size_t row = begin; row < end; ++row) {
        std::int64_t offset = 0;
        bool filled = false;
        auto rest = static_cast<std::int64_t>(row);
        for (std::size_t d = rank == 0 ? 0 : rank - 1; d-- > 0;) {
          const std::int64_t at = tables[d][static_cast<std::size_t>(rest % out.dims()[d])];
          rest /= out.dims()[d];
          filled = filled || at < 0;
          offset += at * strides[d];
        }
        if (!filled && short_runs) {
          for (std::int64_t i = 0; i < width; ++i) {
            const std::int64_t at = last[static_cast<std::size_t>(i)];
            to[i] = at < 0 ? value : from[offset + at];
          }
          to += width;
          continue;
        }
        for (const Run& run : inner) {
          if (filled || run.from < 0)
            std::fill(to, to + run.length, value);
          else
            copy_row(from + offset + run.from, 1, to, run.length);
          to += run.length;
        }
      }
    });
  });
}

void copy_with_dims(EvalContext& context, const Dims& dims) {
  const Tensor& x = context.input(0);
  if (element_count(dims) != x.size())
    throw Error("cannot give " + to_string(x.dims()) + " the shape " + to_string(dims), "element counts must agree");
  Tensor& out = context.output(0, x.dtype(), dims);
  if (x.bytes() != 0) std::memcpy(out.raw(), x.raw(), x.bytes());
}

}  // namespace tinyml
