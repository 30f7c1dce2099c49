// A convolution in the form of tml_conv2d_s8_mve, and what the kernel says of scratch and overlap as formulas.
#include "lib/device/pack_conv2d_mve.h"

#include "lib/device/conv2d_shape.h"
#include "lib/device/pack_product_mve.h"

namespace tinyml {
namespace {

std::size_t patch_bytes(const tml_conv2d_dsp_params& p) {
  return (std::size_t{p.kernel_h} * p.kernel_w * p.in_c + 7) / 8 * 8;
}

bool reads_in_place(const tml_conv2d_dsp_params& p) {
  return p.kernel_h == 1 && p.kernel_w == 1 && p.in_c % 8 == 0 && p.pad_top == 0 && p.pad_left == 0 &&
         (p.out_h - 1) * p.stride_h < p.in_h && (p.out_w - 1) * p.stride_w < p.in_w;
}

// Whether pairs run on over the ends of rows.
bool is_one_run(const tml_conv2d_dsp_params& p) {
  return !reads_in_place(p) || (p.stride_h == 1 && p.stride_w == 1 && p.in_h == p.out_h && p.in_w == p.out_w);
}

}  // namespace

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
  form.instructions = instructions_mve(p);
  return form;
}

std::size_t scratch_bytes_mve(const tml_conv2d_dsp_params& p) {
  return (reads_in_place(p) ? 0 : 2 * patch_bytes(p)) + (p.add_shift != 0 ? std::size_t{2} * p.out_c : 0);
}

// A pair gathers its windows before it writes; read in place, it may not write over itself.
std::int64_t output_distance_mve(const tml_conv2d_dsp_params& p) {
  return conv2d_distance(p, reads_in_place(p) ? 2 : 0);
}

namespace {

double as_double(std::int64_t n) { return static_cast<double>(n); }

// Four channels of a pair of pixels.
double per_block(std::size_t patch) {
  const auto steps = static_cast<std::int64_t>(patch / 16);
  return 19 + (patch % 16 != 0 ? 15 : 0) + as_double(14 * steps + 2 * ((steps + 7) / 8));
}

// What a pair costs besides its whole blocks where blocks are left over, a clamp is narrow, or a residual is added.
double around_blocks(const tml_conv2d_dsp_params& p) {
  const bool is_clamped = p.clamp_min > -128 || p.clamp_max < 127, adds = p.add_shift != 0, rest = p.out_c % 4 != 0;
  double sum = adds || rest || is_clamped ? 80 : 0;
  if (is_clamped) sum += 10 + p.out_c * 2 * 5 / 16.0;
  if (adds) sum += p.out_c * 2 * 2.5;
  if (rest) sum += 110 + per_block(patch_bytes(p));
  return sum;
}

double dense_instructions(const tml_conv2d_dsp_params& p, double blocks) {
  const std::int64_t rows = std::int64_t{p.batches} * p.out_h;
  const std::int64_t runs = is_one_run(p) ? 1 : rows, run = rows * p.out_w / runs;
  const double pair = 20 + blocks + around_blocks(p);
  return as_double(runs) * (110 + as_double(run / 2) * pair + as_double(run % 2) * (pair + 100));
}

// Windows that lie inside are gathered in pairs within the assembler, the others one by one.
double patch_instructions(const tml_conv2d_dsp_params& p, double blocks) {
  const std::int64_t pixels = std::int64_t{p.batches} * p.out_h * p.out_w,
                     row_bytes = std::int64_t{p.kernel_w} * p.in_c;
  const double copy = p.kernel_h * (5 + 3 * as_double((row_bytes + 15) / 16));
  const double fill = 4 + 2 * as_double(static_cast<std::int64_t>((patch_bytes(p) + 15) / 16));
  std::int64_t full_rows = 0;
  for (int oy = 0; oy < p.out_h; ++oy) {
    const int y = oy * p.stride_h - p.pad_top;
    full_rows += y >= 0 && y + (p.kernel_h - 1) * p.dilation_h < p.in_h ? p.batches : 0;
  }
  std::int64_t inner = (p.pad_left + p.stride_w - 1) / p.stride_w, outer = 0;
  if (p.in_w >= p.kernel_w && p.dilation_w == 1 && p.out_c >= 4)
    outer = std::min<std::int64_t>((p.in_w - p.kernel_w + p.pad_left) / p.stride_w + 1, p.out_w);
  if (p.out_w % 2 == 0) inner += inner % 2;  // pairs begin at even columns
  const std::int64_t inner_pairs = full_rows * std::max<std::int64_t>(0, (outer - inner) / 2);
  const std::int64_t singles = pixels - 2 * inner_pairs, pairs = (pixels + 1) / 2;
  const double gathers = p.dilation_w == 1 ? copy : 80 + 12.0 * p.kernel_h * p.kernel_w;
  return as_double(inner_pairs) * (32 + 2 * copy) + as_double(singles) * (75 + gathers + fill + 37) +
         as_double(pairs) * (blocks + around_blocks(p)) + 60.0 * p.batches * p.out_h;
}

}  // namespace

// Counted in the assembler; what the compiler makes of the rest (gcc 12, -O2) is measured.
double instructions_mve(const tml_conv2d_dsp_params& p) {
  const double blocks = p.out_c / 4 * per_block(patch_bytes(p));
  return 600 + (reads_in_place(p) ? dense_instructions(p, blocks) : patch_instructions(p, blocks));
}

}  // namespace tinyml
