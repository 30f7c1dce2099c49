// A convolution in the form of tml_conv2d_s8_mve, and what the kernel says of scratch and overlap as formulas.
#include "lib/device/pack_conv2d_mve.h"

#include "lib/device/conv2d_shape.h"
#include "lib/device/pack_product_mve.h"
#include "lib/runtime/kernels/conv2d_in_place.h"

namespace tinyml {
namespace {

std::size_t patch_bytes(const tml_conv2d_dsp_params& p) {
  return (std::size_t{p.kernel_h} * p.kernel_w * p.in_c + 7) / 8 * 8;
}

}  // namespace

bool reads_in_place_mve(const tml_conv2d_dsp_params& p) { return tml_conv2d_reads_in_place(&p) != 0; }

std::optional<StepForm> conv2d_mve_form(const LoweredStep& portable, Target) {
  if (field_value(portable, "groups") != 1 || field_value(portable, "shift") != 0) return std::nullopt;
  const tml_conv2d_dsp_params p = conv2d_shape(portable);
  if (!is_walkable(p) || clamps_gap(p)) return std::nullopt;
  const std::size_t taps = std::size_t{p.kernel_h} * p.kernel_w * p.in_c;
  if (p.out_c > 65528 || !packs_tightly_mve(p.out_c, taps, 4)) return std::nullopt;
  StepForm form;
  form.step.kernel = "tml_conv2d_s8_mve";
  form.step.operands = portable.operands;
  form.step.overlaps = {{0, output_distance_mve(p)}};
  form.step.fields.push_back({"stream", pack_product_mve(portable, taps, 4)});
  copy_conv2d_fields(portable, form.step);
  form.scratch_bytes = scratch_bytes_mve(p);
  predict(form, conv2d_mve_terms(p), Target::cortex_m55);
  return form;
}

std::size_t scratch_bytes_mve(const tml_conv2d_dsp_params& p) {
  return (reads_in_place_mve(p) ? 0 : 2 * patch_bytes(p)) + (p.add_shift != 0 ? std::size_t{2} * p.out_c : 0);
}

// A pair gathers its windows before it writes; read in place, it may not write over itself.
std::int64_t output_distance_mve(const tml_conv2d_dsp_params& p) {
  return conv2d_distance(p, reads_in_place_mve(p) ? 2 : 0);
}

}  // namespace tinyml
