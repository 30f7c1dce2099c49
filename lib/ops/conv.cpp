// Conv: convolution over 1 to 3 spatial axes, with groups. Evaluation is im2col and a matrix product per image and
// group: rows are output channels, columns output positions, in blocks so that the unfolded input stays in cache.
#include <algorithm>
#include <vector>

#include "lib/math/gemm.h"
#include "lib/ops/common.h"
#include "lib/ops/conv_shape.h"
#include "lib/ops/counts.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/prepared.h"
#include "lib/support/error.h"
#include "lib/support/memory.h"

namespace tinyml {
namespace {

void check_bias(const NodeView& node, const Dim& channels) {
  if (!node.has_input(2) || node.input_shape(2) == nullptr) return;
  const Shape& bias = *node.input_shape(2);
  if (bias.size() != 1 || (bias[0].known() && channels.known() && bias[0].value != channels.value))
    throw Error("the bias has shape " + to_string(bias) + ", expected one element per output channel",
                "check the bias");
}

std::vector<InferredValue> infer(const NodeView& node) {
  check_same_dtype(node, node.input_count());
  TensorType out{node.input_type(0).dtype, std::nullopt};
  const Shape* input = spatial_input_shape(node);
  const Shape* weights = node.input_shape(1);
  if (input == nullptr || weights == nullptr || !is_static(*weights)) return {{out, {}}};
  Dims sample;  // unknown sizes do not take part in the checks of channels: channels must be known to be checked
  for (const Dim& d : *input) sample.push_back(d.known() ? d.value : 0);
  const Dims w = to_dims(*weights);
  if (w.size() != input->size()) (void)conv_shape(node, sample, w);  // says what is wrong
  const WindowAttributes attributes = window_attributes(node, w.size() - 2, Dims(w.begin() + 2, w.end()));
  if ((*input)[1].known()) {
    for (std::size_t i = 2; i < sample.size(); ++i)
      if (!(*input)[i].known()) sample[i] = (w[i] - 1) * attributes.dilations[i - 2] + 1;
    (void)conv_shape(node, sample, w);
  }
  check_bias(node, Dim(w[0]));
  out.shape = window_output_shape(attributes, *input, Dim(w[0]));
  return {{out, {}}};
}

std::int64_t macs(const NodeView& node) {
  const ConvShape s = conv_shape(node, to_dims(*node.input_shape(0)), to_dims(*node.input_shape(1)));
  return saturating_product({s.batch, s.out_channels, s.window.out_size(), s.group_in(), s.window.taps()});
}

// Unfolds the columns [begin, end) of output positions of one channel and tap: out[j] for position begin + j.
template <class T>
void unfold_row(const Window& window, const T* image, const std::array<std::int64_t, 3>& tap, std::int64_t begin,
                std::int64_t end, T* out) {
  const auto& [d, h, w] = window.axes;
  const TapRange valid = valid_outputs(w, tap[2]);
  for (std::int64_t position = begin; position < end;) {
    const std::int64_t line = position / w.out, from = position % w.out;
    const std::int64_t to = std::min(w.out, from + end - position);
    const std::int64_t id = line / h.out * d.stride + tap[0] * d.dilation - d.pad_begin;
    const std::int64_t ih = line % h.out * h.stride + tap[1] * h.dilation - h.pad_begin;
    const bool inside = id >= 0 && id < d.in && ih >= 0 && ih < h.in;
    const std::int64_t first = inside ? std::clamp(valid.first, from, to) : to;
    const std::int64_t last = inside ? std::clamp(valid.last, first, to) : to;
    const T* source = image + (id * h.in + ih) * w.in + tap[2] * w.dilation - w.pad_begin;
    std::fill(out, out + (first - from), T(0));
    for (std::int64_t x = first; x < last; ++x) out[x - from] = source[x * w.stride];
    std::fill(out + (last - from), out + (to - from), T(0));
    out += to - from;
    position += to - from;
  }
}

template <class T>
void unfold(const ConvShape& s, const T* images, std::int64_t begin, std::int64_t end, std::int64_t row, T* columns) {
  const auto& [d, h, w] = s.window.axes;
  for (std::int64_t c = 0; c < s.group_in(); ++c)
    for (std::int64_t kd = 0; kd < d.kernel; ++kd)
      for (std::int64_t kh = 0; kh < h.kernel; ++kh)
        for (std::int64_t kw = 0; kw < w.kernel; ++kw, columns += row)
          unfold_row(s.window, images + c * s.window.in_size(), {kd, kh, kw}, begin, end, columns);
}

template <class T>
void convolve(EvalContext& context, const ConvShape& s, std::span<T> y) {
  const std::span<const T> x = context.input(0).data<T>(), w = context.input(1).data<T>();
  const T* bias = context.has_input(2) ? context.input(2).data<T>().data() : nullptr;
  const std::int64_t depth = s.group_in() * s.window.taps(), positions = s.window.out_size();
  if (s.batch == 0 || positions == 0) return;
  constexpr std::int64_t kBlockElements = 1 << 16;  // of the unfolded input: 256 KB, a share of the L2 cache
  const std::int64_t wide = std::max<std::int64_t>(kBlockElements / depth / 16 * 16, 64);
  const std::int64_t block = std::min(wide, (positions + 15) / 16 * 16);
  const std::int64_t blocks = (positions + block - 1) / block;
  const auto jobs = static_cast<std::size_t>(s.batch * s.groups * blocks);
  context.threads.parallel_for(jobs, 1, [&](std::size_t from, std::size_t to) {
    const auto unfolded = static_cast<std::size_t>(depth * block);
    const MemoryClaim claim(unfolded * sizeof(T));
    std::vector<T> columns(unfolded);
    for (auto job = static_cast<std::int64_t>(from); job < static_cast<std::int64_t>(to); ++job) {
      const std::int64_t begin = job % blocks * block, end = std::min(positions, begin + block);
      const std::int64_t group = job / blocks % s.groups, image = job / blocks / s.groups;
      unfold(s, x.data() + (image * s.in_channels + group * s.group_in()) * s.window.in_size(), begin, end, block,
             columns.data());
      const std::int64_t channel = group * s.group_out();
      math::multiply_rows<T>({.rows = static_cast<std::size_t>(s.group_out()),
                              .columns = static_cast<std::size_t>(end - begin),
                              .depth = static_cast<std::size_t>(depth),
                              .a = w.data() + channel * depth,
                              .b = columns.data(),
                              .b_row = static_cast<std::size_t>(block),
                              .row_bias = bias != nullptr ? bias + channel : nullptr,
                              .c = y.data() + (image * s.out_channels + channel) * positions + begin,
                              .c_row = static_cast<std::size_t>(positions)});
    }
  });
}

void evaluate(EvalContext& context) {
  const Tensor& input = context.input(0);
  const ConvShape s = conv_shape(context.node, input.dims(), context.input(1).dims());
  if (context.has_input(2) && context.input(2).size() != s.out_channels)
    throw Error("the bias has " + std::to_string(context.input(2).size()) + " elements", "one per output channel");
  Tensor& out = context.output(0, input.dtype(), s.output_dims());
  if (input.dtype() == DType::f32) return convolve<float>(context, s, out.data<float>());
  if (input.dtype() == DType::f64) return convolve<double>(context, s, out.data<double>());
  throw Error("Conv of " + std::string(dtype_name(input.dtype())) + " is not supported", "use float32");
}

QuantRule quant_rule(const NodeView& node) { return weighted_rule(node, 0); }

}  // namespace

const OpDef& op_conv() {
  static const OpDef op{.name = "Conv",
                        .min_inputs = 2,
                        .max_inputs = 3,
                        .infer = infer,
                        .evaluate = evaluate,
                        .prepare = prepare_conv,
                        .macs = macs,
                        .quant_rule = quant_rule,
                        .layout = layout_channels_last,
                        .lower = lower_conv,
                        .int16 = takes_int16,
                        .first_weight = 1};
  return op;
}

}  // namespace tinyml
