// MaxPool: the largest element of each window, and on request its index in the flattened input. NaN wins, as in NumPy.
#include <limits>

#include "lib/ops/conv_shape.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/prepared.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::vector<InferredValue> infer(const NodeView& node) {
  const std::int64_t order = node.integer("storage_order", 0);
  if (order != 0 && order != 1) throw Error("attribute 'storage_order' is " + std::to_string(order), "expected 0 or 1");
  const TensorType out = pool_type(node);
  return {{out, {}}, {{DType::i64, out.shape}, {}}};
}

template <class T>
struct Best {
  T value;
  std::int64_t index;  // within the plane, row-major
};

template <class T>
bool beats(T x, T best) {
  if constexpr (std::is_floating_point_v<T>) return x > best || (x != x && best == best);
  return x > best;
}

template <class T>
Best<T> window_max(const Window& window, const T* plane, std::int64_t od, std::int64_t oh, std::int64_t ow) {
  const auto& [d, h, w] = window.axes;
  const TapRange ds = valid_taps(d, od), hs = valid_taps(h, oh), ws = valid_taps(w, ow);
  Best<T> best{std::numeric_limits<T>::lowest(), -1};
  for (std::int64_t i = ds.first; i < ds.last; ++i)
    for (std::int64_t j = hs.first; j < hs.last; ++j) {
      const std::int64_t id = od * d.stride + i * d.dilation - d.pad_begin;
      const std::int64_t ih = oh * h.stride + j * h.dilation - h.pad_begin;
      const std::int64_t line = (id * h.in + ih) * w.in + ow * w.stride - w.pad_begin;
      for (std::int64_t k = ws.first; k < ws.last; ++k) {
        const std::int64_t at = line + k * w.dilation;
        if (best.index < 0 || beats(plane[at], best.value)) best = {plane[at], at};
      }
    }
  return best;
}

// Row-major to column-major position within a plane (storage_order 1): the last axis varies slowest.
std::int64_t column_major(const Window& window, std::int64_t index) {
  const auto& [d, h, w] = window.axes;
  const std::int64_t x = index % w.in, y = index / w.in % h.in, z = index / w.in / h.in;
  return (x * h.in + y) * d.in + z;
}

template <class T>
void compute(EvalContext& context, const Window& window, std::int64_t planes, T* y, std::int64_t* indices) {
  const T* x = reinterpret_cast<const T*>(context.input(0).raw());
  const bool columns = context.node.integer("storage_order", 0) == 1;
  context.threads.parallel_for(static_cast<std::size_t>(planes), 1, [&](std::size_t from, std::size_t to) {
    for (auto plane = static_cast<std::int64_t>(from); plane < static_cast<std::int64_t>(to); ++plane) {
      std::int64_t at = plane * window.out_size();
      for (std::int64_t d = 0; d < window.axes[0].out; ++d)
        for (std::int64_t h = 0; h < window.axes[1].out; ++h)
          for (std::int64_t w = 0; w < window.axes[2].out; ++w, ++at) {
            const Best<T> best = window_max(window, x + plane * window.in_size(), d, h, w);
            y[at] = best.value;
            if (indices != nullptr)
              indices[at] = plane * window.in_size() + (columns ? column_major(window, best.index) : best.index);
          }
    }
  });
}

void evaluate(EvalContext& context) {
  const Tensor& input = context.input(0);
  const ConvShape s = pool_shape(context.node, input.dims());
  const Dims dims = s.output_dims();
  std::byte* y = context.output(0, input.dtype(), dims).raw();
  std::int64_t* indices =
      context.wants_output(1) ? context.output(1, DType::i64, dims).data<std::int64_t>().data() : nullptr;
  const std::int64_t planes = s.batch * s.in_channels;
  const auto run = [&]<class T>(T) { compute<T>(context, s.window, planes, reinterpret_cast<T*>(y), indices); };
  switch (input.dtype()) {
    case DType::f32:
      return run(float{});
    case DType::f64:
      return run(double{});
    case DType::i8:
      return run(std::int8_t{});
    case DType::u8:
      return run(std::uint8_t{});
    default:
      throw Error("MaxPool of " + std::string(dtype_name(input.dtype())) + " is not supported", "use float32");
  }
}

// With Indices as an output the values cannot be told from a plain pool's: the rule is the same.
QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::same_as_input}; }

}  // namespace

const OpDef& op_max_pool() {
  static const OpDef op{.name = "MaxPool",
                        .min_inputs = 1,
                        .max_outputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .prepare = prepare_max_pool,
                        .quant_rule = quant_rule,
                        .layout = layout_channels_last,
                        .lower = lower_max_pool,
                        .int16 = takes_int16};
  return op;
}

}  // namespace tinyml
