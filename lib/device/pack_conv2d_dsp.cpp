// A convolution in the form of tml_conv2d_s8_dsp, and what the kernel's record says of scratch and overlap as formulas.
#include "lib/device/pack_conv2d_dsp.h"

#include "lib/device/conv2d_shape.h"
#include "lib/device/pack_product_dsp.h"

namespace tinyml {
namespace {

std::size_t round_up(std::size_t n) { return (n + 3) / 4 * 4; }

}  // namespace

std::optional<StepForm> conv2d_dsp_form(const LoweredStep& portable, Target target) {
  if (field_value(portable, "groups") != 1) return std::nullopt;
  const tml_conv2d_dsp_params p = conv2d_shape(portable);
  if (!is_walkable(p) || clamps_gap(p)) return std::nullopt;
  auto stream = pack_product_dsp(portable, std::size_t{p.kernel_h} * p.kernel_w * p.in_c, 2);
  if (!stream) return std::nullopt;
  StepForm form;
  form.step.kernel = stream->is_short ? "tml_conv2d_short_s8_dsp" : "tml_conv2d_s8_dsp";
  form.step.operands = portable.operands;
  form.step.overlaps = {{0, output_distance(p)}};
  form.step.fields.push_back({"stream", std::move(stream->stream)});
  form.step.fields.push_back({"shift", std::int64_t{stream->shift}});
  copy_conv2d_fields(portable, form.step);
  form.scratch_bytes = scratch_bytes(p);
  predict(form, conv2d_dsp_terms(p, stream->is_short), target);
  return form;
}

std::size_t scratch_bytes(const tml_conv2d_dsp_params& p) {
  const std::size_t k = round_up(std::size_t{p.kernel_h} * p.kernel_w * p.in_c);
  const bool needs_patches = is_padded(p) || p.kernel_w * p.in_c % 4 != 0 || p.dilation_w != 1;
  return 6 * k + (needs_patches ? 3 * k + 12 : 0) + (p.add_shift != 0 ? round_up(std::size_t{3} * p.out_c) : 0);
}

// Three pixels are gathered before the first of them is written.
std::int64_t output_distance(const tml_conv2d_dsp_params& p) { return conv2d_distance(p, 0); }

}  // namespace tinyml
