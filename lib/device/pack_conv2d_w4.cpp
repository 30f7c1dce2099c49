// The packed stream is the int8 kernel's with the weights of each block as codes, so that whatever else stands in it is
// copied as it is.
#include "lib/device/pack_conv2d_w4.h"

#include <algorithm>

#include "lib/device/conv2d_shape.h"
#include "lib/device/cost.h"
#include "lib/device/overlap.h"
#include "lib/device/pack_conv2d_dsp.h"
#include "lib/device/pack_conv2d_mve.h"
#include "lib/device/pack_nibbles.h"
#include "lib/device/pack_product_dsp.h"
#include "lib/device/pack_product_mve.h"
#include "lib/runtime/kernels/nibbles.h"

namespace tinyml {
namespace {

// Of scratch: what decodes the layers of small models at once, or in few groups, below the peak of their arena; and
// the least that leaves a group of several channels.
constexpr std::size_t kLarge = 8192, kSmall = 2048;
constexpr std::size_t kRecord = TML_NIBBLES_RECORD;  // of a part, in the scratch

std::size_t as_size(std::int64_t n) { return static_cast<std::size_t>(n); }

// How a core's stream is made of blocks.
struct Blocks {
  std::size_t channels, head, middle, tail, next;  // words; next: of the next block's head
  bool has_halves;                                 // bytes are joined to 256 * odd + even
  std::size_t words() const { return head + middle + tail; }
};

// The weights of a stream's words.
std::vector<std::int8_t> weights_of(std::span<const std::uint32_t> words, bool has_halves) {
  std::vector<std::int8_t> weights;
  for (const std::uint32_t word : words)
    for (unsigned shift = 0; shift < 32; shift += 16) {
      const auto even = static_cast<std::int8_t>(word >> shift);
      const auto odd = static_cast<std::int8_t>(word >> (shift + 8));
      weights.push_back(even);
      weights.push_back(static_cast<std::int8_t>(odd + (has_halves && even < 0 ? 1 : 0)));
    }
  return weights;
}

std::optional<Tensor> pack(std::span<const std::uint32_t> stream, const Blocks& blocks, std::size_t group) {
  std::vector<std::int8_t> all;
  const std::size_t end = stream.size() - blocks.next;
  const auto middle = [&](std::size_t at) {
    return weights_of(stream.subspan(at + blocks.head, blocks.middle), blocks.has_halves);
  };
  for (std::size_t at = 0; at < end; at += blocks.words()) {
    const auto weights = middle(at);
    all.insert(all.end(), weights.begin(), weights.end());
  }
  const auto code = NibbleCode::of(all);  // padding has added zeros
  if (!code) return std::nullopt;
  NibblePacker packer(*code, group);
  for (std::size_t at = 0; at < end; at += blocks.words()) {
    packer.add_words(stream.subspan(at, blocks.head));
    packer.add_weights(middle(at));
    packer.add_words(stream.subspan(at + blocks.head + blocks.middle, blocks.tail));
  }
  packer.add_words(stream.subspan(end));
  const auto words = packer.words();
  return Tensor::from<std::uint32_t>({static_cast<std::int64_t>(words.size())}, words);
}

// The int8 form of the step with its stream packed.
std::optional<StepForm> packed_form(StepForm form, const char* kernel, const Blocks& blocks, std::size_t channels,
                                    std::size_t budget) {
  const std::size_t block_bytes = 4 * blocks.words();
  const std::size_t group = nibble_group(channels, blocks.channels, block_bytes / blocks.channels, budget);
  auto stream = std::find_if(form.step.fields.begin(), form.step.fields.end(),
                             [](const StepField& field) { return field.name == "stream"; });
  auto packed = pack(std::get<Tensor>(stream->value).data<std::uint32_t>(), blocks, group);
  if (!packed) return std::nullopt;
  stream->value = std::move(*packed);
  form.step.kernel = kernel;
  form.scratch_bytes += kRecord + 4 * blocks.next + (group + blocks.channels - 1) / blocks.channels * block_bytes;
  if (group < channels) form.step.overlaps.clear();
  return form;
}

std::size_t taps_of(const tml_conv2d_dsp_params& p) { return std::size_t{p.kernel_h} * p.kernel_w * p.in_c; }

// The sum of `cost` over the groups.
template <class Cost>
double over_groups(tml_conv2d_dsp_params p, std::size_t group, Cost cost) {
  double sum = 0;
  for (std::size_t left = p.out_c; left > 0; left -= std::min(group, left)) {
    p.out_c = static_cast<std::uint16_t>(std::min(group, left));
    sum += cost(p);
  }
  return sum;
}

// The portable int8 kernel on one group after the other.
std::optional<double> portable_instructions(LoweredStep step, std::size_t group, Target target) {
  const auto channels = std::find_if(step.fields.begin(), step.fields.end(), [](auto& f) { return f.name == "out_c"; });
  double sum = 0;
  for (std::size_t left = as_size(field_value(step, "out_c")); left > 0; left -= std::min(group, left)) {
    channels->value = static_cast<std::int64_t>(std::min(group, left));
    const auto part = predicted_instructions(step, target);
    if (!part) return part;
    sum += *part;
  }
  return sum;
}

std::optional<StepForm> dsp_form(const LoweredStep& portable, Target target, std::size_t budget) {
  auto form = conv2d_dsp_form(portable, target);
  if (!form) return form;
  const tml_conv2d_dsp_params p = conv2d_shape(portable);
  const std::size_t k = (taps_of(p) + 3) / 4 * 4;
  const bool is_short = form->step.kernel == "tml_conv2d_short_s8_dsp";
  const Blocks blocks{2, 1, k / 2, is_short ? 1U : 3U, is_short ? 1U : 0U, true};
  form = packed_form(std::move(*form), is_short ? "tml_conv2d_short_w4_dsp" : "tml_conv2d_w4_dsp", blocks, p.out_c,
                     budget);
  if (!form) return form;
  const std::size_t group = nibble_group(p.out_c, 2, 2 * blocks.words(), budget);
  form->instructions = over_groups(p, group, [&](const tml_conv2d_dsp_params& part) {
    return instructions(part, is_short) + (part.out_c + 1) / 2 * (60 + 10.0 * static_cast<double>(k / 4));
  });
  return form;
}

std::optional<StepForm> mve_form(const LoweredStep& portable, Target target, std::size_t budget) {
  auto form = conv2d_mve_form(portable, target);
  if (!form) return form;
  const tml_conv2d_dsp_params p = conv2d_shape(portable);
  const std::size_t k = (taps_of(p) + 7) / 8 * 8;
  const Blocks blocks{4, 4, k, 4, 0, false};
  form = packed_form(std::move(*form), "tml_conv2d_w4_mve", blocks, p.out_c, budget);
  if (!form) return form;
  const std::size_t group = nibble_group(p.out_c, 4, blocks.words(), budget);
  form->instructions = over_groups(p, group, [&](const tml_conv2d_dsp_params& part) {
    return instructions_mve(part) + (part.out_c + 3) / 4 * (80 + 1.0 * static_cast<double>(k));
  });
  return form;
}

}  // namespace

std::size_t nibble_group(std::size_t channels, std::size_t block, std::size_t channel_bytes, std::size_t budget) {
  const std::size_t blocks = (channels + block - 1) / block;
  const std::size_t most = std::clamp<std::size_t>(budget / (block * channel_bytes), 1, blocks);
  const std::size_t groups = (blocks + most - 1) / most, each = (blocks + groups - 1) / groups;
  return std::min(channels, each * block);
}

std::optional<StepForm> conv2d_w4_form(const LoweredStep& portable, Target target) {
  const auto channels = as_size(field_value(portable, "out_c"));
  const auto weights = field_tensor(portable, "weights")->data<std::int8_t>();
  const auto code = NibbleCode::of(weights);
  if (!code || channels == 0) return std::nullopt;
  const std::size_t taps = weights.size() / channels;
  const bool is_grouped = field_value(portable, "groups") > 1;
  const std::size_t group = is_grouped ? channels : nibble_group(channels, 4, taps, kSmall * 2);
  NibblePacker packer(*code, group);
  for (std::size_t c = 0; c < channels; c += group)
    packer.add_weights(weights.subspan(c * taps, std::min(group, channels - c) * taps));
  StepForm form = nibble_form(portable, "tml_conv2d_w4", packer, kRecord + group * taps, group == channels);
  form.instructions = portable_instructions(portable, group, target);
  if (form.instructions) *form.instructions += decoding_instructions(*code, weights.size(), target);
  return form;
}

std::optional<StepForm> conv2d_w4_dsp_form(const LoweredStep& portable, Target target) {
  return dsp_form(portable, target, kLarge);
}
std::optional<StepForm> conv2d_w4_dsp_small_form(const LoweredStep& portable, Target target) {
  return dsp_form(portable, target, kSmall);
}
std::optional<StepForm> conv2d_w4_mve_form(const LoweredStep& portable, Target target) {
  return mve_form(portable, target, kLarge);
}
std::optional<StepForm> conv2d_w4_mve_small_form(const LoweredStep& portable, Target target) {
  return mve_form(portable, target, kSmall);
}

}  // namespace tinyml
