// The packed stream is the int8 kernel's, channel by channel, with the weights as codes.
#include "lib/device/pack_depthwise_w4.h"

#include <algorithm>

#include "lib/device/cost.h"
#include "lib/device/pack_depthwise_dsp.h"
#include "lib/device/pack_depthwise_mve.h"
#include "lib/device/pack_nibbles.h"

namespace tinyml {
namespace {

// A channel's bytes in the int8 stream: `raw`, then the weights, then zeros.
struct Channel {
  std::size_t raw, weights, zeros;
  std::size_t bytes() const { return raw + weights + zeros; }
};

NibblePacker pack(const NibbleCode& code, std::span<const std::uint8_t> stream, const Channel& channel) {
  NibblePacker packer(code, 0);
  for (; !stream.empty(); stream = stream.subspan(channel.bytes())) {
    packer.add_bytes(stream.first(channel.raw));
    packer.add_weights({reinterpret_cast<const std::int8_t*>(stream.data()) + channel.raw, channel.weights});
  }
  return packer;
}

// The int8 form with its stream packed; T is what it consists of.
template <class T>
std::optional<StepForm> packed_form(const LoweredStep& portable, std::optional<StepForm> form, const char* kernel,
                                    const Channel& channel, double decoding) {
  if (!form) return form;
  const auto code = NibbleCode::of(field_tensor(portable, "weights")->data<std::int8_t>());
  if (!code) return std::nullopt;
  auto stream = std::find_if(form->step.fields.begin(), form->step.fields.end(),
                             [](const StepField& field) { return field.name == "stream"; });
  const Tensor plain = std::get<Tensor>(stream->value);
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(plain.raw()), plain.bytes());
  const NibblePacker packer = pack(*code, bytes, channel);
  const auto channels = static_cast<double>(bytes.size() / channel.bytes());
  if constexpr (sizeof(T) == 1) {
    const auto& packed = packer.bytes();
    stream->value = Tensor::from<T>({static_cast<std::int64_t>(packed.size())},
                                    {reinterpret_cast<const T*>(packed.data()), packed.size()});
  } else {
    const auto packed = packer.words();
    stream->value = Tensor::from<T>({static_cast<std::int64_t>(packed.size())}, packed);
  }
  form->step.kernel = kernel;
  form->scratch_bytes += (plain.bytes() + 3) / 4 * 4;
  if (form->instructions) *form->instructions += 60 + channels * decoding;
  return form;
}

std::optional<StepForm> dsp_form(const LoweredStep& portable, std::optional<StepForm> form, const char* kernel) {
  if (!form) return form;
  const bool has_words = field_value(form->step, "code_shift") != 0;  // of bias and multiplier together
  const std::size_t raw = field_value(portable, "multiplier_step") != 0 && !has_words ? 8 : 4;
  return packed_form<std::int8_t>(portable, std::move(form), kernel, {raw, 9, 0}, 60);
}

}  // namespace

std::optional<StepForm> depthwise_w4_form(const LoweredStep& portable, Target target) {
  const auto weights = field_tensor(portable, "weights")->data<std::int8_t>();
  const auto code = NibbleCode::of(weights);
  if (!code) return std::nullopt;
  NibblePacker packer(*code, 0);
  packer.add_weights(weights);
  StepForm form = nibble_form(portable, "tml_depthwise_conv2d_w4", packer, weights.size(), true);
  form.instructions = predicted_instructions(portable, target);
  if (form.instructions) *form.instructions += decoding_instructions(*code, weights.size(), target);
  return form;
}

std::optional<StepForm> depthwise_w4_dsp_form(const LoweredStep& portable, Target target) {
  return dsp_form(portable, depthwise_dsp_form(portable, target), "tml_depthwise3x3_w4_dsp");
}
std::optional<StepForm> depthwise_w4_dsp_small_form(const LoweredStep& portable, Target target) {
  return dsp_form(portable, depthwise_dsp_small_form(portable, target), "tml_depthwise3x3_w4_dsp");
}
std::optional<StepForm> depthwise_stride2_w4_dsp_form(const LoweredStep& portable, Target target) {
  return dsp_form(portable, depthwise_stride2_dsp_form(portable, target), "tml_depthwise3x3_stride2_w4_dsp");
}
std::optional<StepForm> depthwise_stride2_w4_dsp_small_form(const LoweredStep& portable, Target target) {
  return dsp_form(portable, depthwise_stride2_dsp_small_form(portable, target), "tml_depthwise3x3_stride2_w4_dsp");
}

std::optional<StepForm> depthwise_w4_mve_form(const LoweredStep& portable, Target target) {
  const auto taps = static_cast<std::size_t>(field_value(portable, "kernel_h") * field_value(portable, "kernel_w"));
  const Channel channel{8, taps, (taps + 4) / 4 * 4 - taps};
  return packed_form<std::uint32_t>(portable, depthwise_mve_form(portable, target), "tml_depthwise_conv2d_w4_mve",
                                    channel, 50 + 2.0 * static_cast<double>(taps));
}

}  // namespace tinyml
