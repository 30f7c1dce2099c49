// QuantizeLinear and DequantizeLinear, per tensor or per axis: q = saturate(round_half_even(x / scale) + zero point)
// and x = (q - zero point) * scale, in float32 as the specification and ONNX Runtime compute them.
#include "lib/ops/quantize_linear.h"

#include <algorithm>
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

void check_granularity(const NodeView& node) {
  if (node.integer("block_size", 0) != 0)
    throw Error(node.node().op + " in blocks is not supported", "quantize per tensor or per axis");
  const Shape *x = node.input_shape(0), *scale = node.input_shape(1);
  if (scale == nullptr || scale->empty()) return;
  if (scale->size() > 1)
    throw Error(node.node().op + " with a scale of shape " + to_string(*scale), "quantize per tensor or per axis");
  if ((*scale)[0] == Dim(1) || x == nullptr || x->empty()) return;
  const Dim& d = (*x)[normalize_axis(node.integer("axis", 1), x->size())];
  if (d.known() && (*scale)[0].known() && d.value != (*scale)[0].value)
    throw Error(node.node().op + " with " + to_string(*scale) + " scales on shape " + to_string(*x),
                "there must be one per index of the axis");
}

// What QuantizeLinear can make.
bool is_activation_type(DType type) { return is_quantized_type(type) && type != DType::i32; }

DType quantized_type(const NodeView& node) {
  DType type = DType::u8;
  if (node.has_input(2))
    type = node.input_type(2).dtype;
  else if (const std::int64_t number = node.integer("output_dtype", 0); number != 0)
    type = dtype_of_onnx(number);
  if (!is_activation_type(type)) refuse_dtype("QuantizeLinear to", type);
  return type;
}

std::vector<InferredValue> infer_quantize(const NodeView& node) {
  check_granularity(node);
  return {{{quantized_type(node), node.input_type(0).shape}, {}}};
}

DType real_type(const NodeView& node, DType scale) {
  const std::int64_t number = node.integer("output_dtype", 0);
  return number == 0 ? scale : dtype_of_onnx(number);
}

std::vector<InferredValue> infer_dequantize(const NodeView& node) {
  check_granularity(node);
  if (const DType type = node.input_type(0).dtype; !is_quantized_type(type)) refuse_dtype("DequantizeLinear", type);
  if (node.has_input(2) && node.input_type(2).dtype != node.input_type(0).dtype)
    throw Error("DequantizeLinear of " + std::string(dtype_name(node.input_type(0).dtype)) + " with a zero point of " +
                    std::string(dtype_name(node.input_type(2).dtype)),
                "they must have the same element type");
  return {{{real_type(node, node.input_type(1).dtype), node.input_type(0).shape}, {}}};
}

QuantParams params_of(const EvalContext& context, DType type) {
  return read_quant_params(context.node, to_shape(context.input(0).dims()), type, context.input(1),
                           context.has_input(2) ? &context.input(2) : nullptr);
}

// Calls body(begin, end, scale, zero point) for pieces of equal parameters.
template <class Body>
void for_pieces(const QuantParams& params, const Dims& dims, ThreadPool& threads, Body body) {
  std::size_t inner = 1;
  if (params.per_channel())
    for (std::size_t d = static_cast<std::size_t>(params.axis) + 1; d < dims.size(); ++d)
      inner *= static_cast<std::size_t>(dims[d]);
  const auto count = static_cast<std::size_t>(element_count(dims));
  threads.parallel_for(count, kElementGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end;) {
      const std::size_t line = at / inner, entry = params.per_channel() ? line % params.scales.size() : 0;
      const std::size_t stop = params.per_channel() ? std::min(end, (line + 1) * inner) : end;
      body(at, stop, params.scales[entry], static_cast<float>(params.zero_points[entry]));
      at = stop;
    }
  });
}

// Visits the storage type of a quantized tensor.
template <class Visit>
void visit_quantized(DType type, Visit&& visit) {
  switch (type) {
    case DType::i4:
      return visit(std::int8_t{});
    case DType::u4:
      return visit(std::uint8_t{});
    default:
      return visit_numeric(type, "quantization", visit);
  }
}

// For |x| < 2^22: adding 1.5 * 2^23 leaves no bit below 1, and the addition itself rounds half to even. Vectorizes,
// where std::nearbyint is a call.
float round_half_even(float x) {
  constexpr float kShift = 12582912.0F;
  return (x + kShift) - kShift;
}

void evaluate_quantize(EvalContext& context) {
  Tensor storage;
  if (context.input(0).dtype() != DType::f32) storage = convert(context.input(0), DType::f32);
  const Tensor& x = context.input(0).dtype() == DType::f32 ? context.input(0) : storage;
  const DType type = context.has_input(2) ? context.input(2).dtype() : quantized_type(context.node);
  if (!is_activation_type(type)) refuse_dtype("QuantizeLinear to", type);
  const QuantParams params = params_of(context, type);
  Tensor& out = context.output(0, type, x.dims());
  const IntRange range = int_range(type);
  const float* from = x.data<float>().data();
  visit_quantized(type, [&]<class T>(T) {
    T* to = out.data<T>().data();
    for_pieces(params, x.dims(), context.threads, [=](std::size_t begin, std::size_t end, float scale, float zero) {
      const float low = static_cast<float>(range.min) - zero, high = static_cast<float>(range.max) - zero;
      const float* x_at = from;  // copies of what is captured: a store of int8 might alias the capture
      T* q_at = to;
      for (std::size_t i = begin; i < end; ++i) {
        const float q = x_at[i] / scale;
        const float inside = q >= low ? std::min(q, high) : low;  // NaN: the lowest
        q_at[i] = static_cast<T>(static_cast<std::int32_t>(round_half_even(inside) + zero));
      }
    });
  });
}

void evaluate_dequantize(EvalContext& context) {
  const Tensor& q = context.input(0);
  const QuantParams params = params_of(context, q.dtype());
  const DType type = real_type(context.node, context.input(1).dtype());
  Tensor& out = context.output(0, DType::f32, q.dims());
  float* to = out.data<float>().data();
  visit_quantized(q.dtype(), [&]<class T>(T) {
    const T* from = q.data<T>().data();
    for_pieces(params, q.dims(), context.threads, [=](std::size_t begin, std::size_t end, float scale, float zero) {
      for (std::size_t i = begin; i < end; ++i) to[i] = (static_cast<float>(from[i]) - zero) * scale;
    });
  });
  if (type != DType::f32) out = convert(out, type);
}

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::none}; }

std::vector<std::int32_t> read_zero_points(const Tensor* held, std::size_t count) {
  std::vector<std::int32_t> zero_points;
  if (held == nullptr)
    zero_points.assign(count, 0);
  else
    for (const std::int64_t z : to_int64s(*held)) zero_points.push_back(static_cast<std::int32_t>(z));
  if (zero_points.size() != count)
    throw Error(std::to_string(zero_points.size()) + " zero points for " + std::to_string(count) + " scales",
                "quantize the model again");
  return zero_points;
}

}  // namespace

bool is_quantized_type(DType type) {
  switch (type) {
    case DType::i4:
    case DType::u4:
    case DType::i8:
    case DType::u8:
    case DType::i16:
    case DType::u16:
    case DType::i32:
      return true;
    default:
      return false;
  }
}

QuantParams read_quant_params(const NodeView& node, const Shape& shape, DType type, const Tensor& scales,
                              const Tensor* zero_points) {
  if (scales.rank() > 1 || scales.size() == 0 || node.integer("block_size", 0) != 0)
    throw Error("scales of shape " + to_string(scales.dims()), "quantize per tensor or per axis");
  QuantParams params{.type = type, .scales = to_floats(scales), .zero_points = {}};
  params.zero_points = read_zero_points(zero_points, params.scales.size());
  if (scales.size() == 1) return params;
  params.axis = static_cast<int>(normalize_axis(node.integer("axis", 1), shape.size()));
  const Dim& channels = shape[static_cast<std::size_t>(params.axis)];
  if (channels.known() && channels.value != scales.size())
    throw Error(
        std::to_string(scales.size()) + " scales for axis " + std::to_string(params.axis) + " of " + to_string(shape),
        "quantize the model again");
  return params;
}

const OpDef& op_quantize_linear() {
  static const OpDef op{.name = "QuantizeLinear",
                        .min_inputs = 2,
                        .max_inputs = 3,
                        .infer = infer_quantize,
                        .evaluate = evaluate_quantize,
                        .quant_rule = quant_rule};
  return op;
}

const OpDef& op_dequantize_linear() {
  static const OpDef op{.name = "DequantizeLinear",
                        .min_inputs = 2,
                        .max_inputs = 3,
                        .infer = infer_dequantize,
                        .evaluate = evaluate_dequantize,
                        .quant_rule = quant_rule};
  return op;
}

}  // namespace tinyml
