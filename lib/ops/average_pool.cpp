// AveragePool: the mean of each window. Padding counts only with count_include_pad, and then only within the declared
// pads: what ceil_mode adds behind them never counts.
#include "lib/ops/conv_shape.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/prepared.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::vector<InferredValue> infer(const NodeView& node) {
  (void)node.integer("count_include_pad", 0);
  return {{pool_type(node), {}}};
}

template <class T>
T window_mean(const Window& window, const T* plane, std::int64_t od, std::int64_t oh, std::int64_t ow, bool padded) {
  const auto& [d, h, w] = window.axes;
  const TapRange ds = valid_taps(d, od), hs = valid_taps(h, oh), ws = valid_taps(w, ow);
  T sum = 0;
  for (std::int64_t i = ds.first; i < ds.last; ++i)
    for (std::int64_t j = hs.first; j < hs.last; ++j) {
      const std::int64_t id = od * d.stride + i * d.dilation - d.pad_begin;
      const std::int64_t ih = oh * h.stride + j * h.dilation - h.pad_begin;
      const T* line = plane + (id * h.in + ih) * w.in + ow * w.stride - w.pad_begin;
      for (std::int64_t k = ws.first; k < ws.last; ++k) sum += line[k * w.dilation];
    }
  const std::int64_t count = padded ? padded_taps(d, od) * padded_taps(h, oh) * padded_taps(w, ow)
                                    : (ds.last - ds.first) * (hs.last - hs.first) * (ws.last - ws.first);
  return count == 0 ? T(0) : sum / static_cast<T>(count);
}

template <class T>
void compute(EvalContext& context, const Window& window, std::int64_t planes, Tensor& out) {
  const bool padded = context.node.integer("count_include_pad", 0) != 0;
  const T* x = context.input(0).data<T>().data();
  T* y = out.data<T>().data();
  context.threads.parallel_for(static_cast<std::size_t>(planes), 1, [&](std::size_t from, std::size_t to) {
    for (std::size_t plane = from; plane < to; ++plane) {
      const T* source = x + static_cast<std::int64_t>(plane) * window.in_size();
      T* target = y + static_cast<std::int64_t>(plane) * window.out_size();
      for (std::int64_t d = 0; d < window.axes[0].out; ++d)
        for (std::int64_t h = 0; h < window.axes[1].out; ++h)
          for (std::int64_t w = 0; w < window.axes[2].out; ++w)
            *target++ = window_mean(window, source, d, h, w, padded);
    }
  });
}

void evaluate(EvalContext& context) {
  const Tensor& input = context.input(0);
  const ConvShape s = pool_shape(context.node, input.dims());
  Tensor& out = context.output(0, input.dtype(), s.output_dims());
  const std::int64_t planes = s.batch * s.in_channels;
  if (input.dtype() == DType::f32) return compute<float>(context, s.window, planes, out);
  if (input.dtype() == DType::f64) return compute<double>(context, s.window, planes, out);
  throw Error("AveragePool of " + std::string(dtype_name(input.dtype())) + " is not supported", "use float32");
}

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::own_range, .clamp_fuses = true}; }

}  // namespace

const OpDef& op_average_pool() {
  static const OpDef op{.name = "AveragePool",
                        .min_inputs = 1,
                        .infer = infer,
                        .evaluate = evaluate,
                        .prepare = prepare_average_pool,
                        .quant_rule = quant_rule,
                        .layout = layout_channels_last,
                        .lower = lower_average_pool,
                        .int16 = takes_int16};
  return op;
}

}  // namespace tinyml
