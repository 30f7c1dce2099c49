// Scales are float32, as the ONNX file and the device's report hold them.
#include "lib/quant/params.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/quant/channel_runs.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Below this a scale's inverse, or a product of two scales, would leave float32's normal range.
constexpr float kLeastScale = 1e-15F;

float usable_scale(double scale) {
  const auto s = static_cast<float>(scale);
  return s > 0 ? std::max(s, kLeastScale) : 1.0F;
}

template <class T>
void quantize_into(Tensor& out, const Tensor& real, const QuantParams& p) {
  const IntRange range = int_range(p.type);
  const auto x = real.data<float>();
  auto q = out.data<T>();
  ChannelRuns(real, p.axis).each([&](std::size_t channel, std::size_t begin, std::size_t end) {
    const float scale = p.scales[channel];
    const auto zero = static_cast<double>(p.zero_points[channel]);
    for (std::size_t i = begin; i < end; ++i) {
      const double level = std::nearbyint(static_cast<double>(x[i] / scale)) + zero;
      q[i] = static_cast<T>(std::clamp(level, static_cast<double>(range.min), static_cast<double>(range.max)));
    }
  });
}

template <class T>
void dequantize_into(Tensor& out, const Tensor& integers, const QuantParams& p) {
  const auto q = integers.data<T>();
  auto x = out.data<float>();
  ChannelRuns(integers, p.axis).each([&](std::size_t channel, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      x[i] = static_cast<float>(static_cast<std::int64_t>(q[i]) - p.zero_points[channel]) * p.scales[channel];
  });
}

}  // namespace

QuantParams activation_params(Range range, DType type, bool symmetric) {
  const IntRange levels = int_range(type);
  const double low = std::min(0.0F, range.min), high = std::max(0.0F, range.max);
  QuantParams p;
  p.type = type;
  if (symmetric) {
    const int middle = static_cast<int>((static_cast<std::int64_t>(levels.min) + levels.max + 1) / 2);
    p.scales = {usable_scale(std::max(-low, high) / (levels.max - middle))};
    p.zero_points = {middle};
    return p;
  }
  p.scales = {usable_scale((high - low) / (static_cast<double>(levels.max) - levels.min))};
  const double zero = std::nearbyint(levels.min - low / static_cast<double>(p.scales[0]));
  p.zero_points = {
      static_cast<std::int32_t>(std::clamp(zero, static_cast<double>(levels.min), static_cast<double>(levels.max)))};
  return p;
}

QuantParams weight_params(const Tensor& weights, int axis, DType type) {
  const std::size_t channels = axis < 0 ? 1 : static_cast<std::size_t>(weights.dims()[static_cast<std::size_t>(axis)]);
  std::vector<float> reach(channels, 0.0F);
  const auto w = weights.data<float>();
  ChannelRuns(weights, axis).each([&](std::size_t channel, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) reach[channel] = std::max(reach[channel], std::fabs(w[i]));
  });
  const float largest = reach.empty() ? 0.0F : *std::max_element(reach.begin(), reach.end());
  QuantParams p;
  p.type = type;
  p.axis = axis;
  p.scales.clear();
  for (const float r : reach)
    p.scales.push_back(usable_scale(static_cast<double>(r > 0 ? r : largest) / int_range(type).max));
  p.zero_points.assign(channels, 0);
  return p;
}

Tensor quantize_tensor(const Tensor& real, const QuantParams& params) {
  Tensor out(params.type, real.dims());
  switch (params.type) {
    case DType::i8:
    case DType::i4:
      quantize_into<std::int8_t>(out, real, params);
      break;
    case DType::u8:
    case DType::u4:
      quantize_into<std::uint8_t>(out, real, params);
      break;
    case DType::i16:
      quantize_into<std::int16_t>(out, real, params);
      break;
    case DType::u16:
      quantize_into<std::uint16_t>(out, real, params);
      break;
    case DType::i32:
      quantize_into<std::int32_t>(out, real, params);
      break;
    default:
      internal_error("quantized to " + std::string(dtype_name(params.type)));
  }
  return out;
}

Tensor dequantize_tensor(const Tensor& integers, const QuantParams& params) {
  Tensor out(DType::f32, integers.dims());
  switch (integers.dtype()) {
    case DType::i8:
    case DType::i4:
      dequantize_into<std::int8_t>(out, integers, params);
      break;
    case DType::u8:
    case DType::u4:
      dequantize_into<std::uint8_t>(out, integers, params);
      break;
    case DType::i16:
      dequantize_into<std::int16_t>(out, integers, params);
      break;
    case DType::u16:
      dequantize_into<std::uint16_t>(out, integers, params);
      break;
    case DType::i32:
      dequantize_into<std::int32_t>(out, integers, params);
      break;
    default:
      internal_error("dequantized from " + std::string(dtype_name(integers.dtype())));
  }
  return out;
}

}  // namespace tinyml
