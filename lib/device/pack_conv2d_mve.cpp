// A convolution in the form of tml_conv2d_s8_mve, and what the kernel says of scratch and overlap as formulas.
#include "lib/device/pack_conv2d_mve.h"

#include <algorithm>
#include <limits>

#include "lib/device/pack_product_mve.h"

namespace tinyml {
namespace {

// The fields that both records have.
constexpr std::string_view kShared[] = {"batches",  "in_h",       "in_w",       "in_c",     "out_h",
                                        "out_w",    "out_c",      "kernel_h",   "kernel_w", "stride_h",
                                        "stride_w", "dilation_h", "dilation_w", "pad_top",  "pad_left",
                                        "in_zero",  "out_zero",   "clamp_min",  "clamp_max"};

template <class T>
T as(const LoweredStep& step, std::string_view field) {
  return static_cast<T>(field_value(step, field));
}

// The shape alone; values that the record cannot hold were refused before.
tml_conv2d_dsp_params shape_of(const LoweredStep& step) {
  tml_conv2d_dsp_params p{};
  using U = std::uint16_t;
  p.batches = as<U>(step, "batches");
  p.in_h = as<U>(step, "in_h"), p.in_w = as<U>(step, "in_w"), p.in_c = as<U>(step, "in_c");
  p.out_h = as<U>(step, "out_h"), p.out_w = as<U>(step, "out_w"), p.out_c = as<U>(step, "out_c");
  p.kernel_h = as<U>(step, "kernel_h"), p.kernel_w = as<U>(step, "kernel_w");
  p.stride_h = as<U>(step, "stride_h"), p.stride_w = as<U>(step, "stride_w");
  p.dilation_h = as<U>(step, "dilation_h"), p.dilation_w = as<U>(step, "dilation_w");
  p.pad_top = as<U>(step, "pad_top"), p.pad_left = as<U>(step, "pad_left");
  p.clamp_min = as<std::int8_t>(step, "clamp_min"), p.clamp_max = as<std::int8_t>(step, "clamp_max");
  return p;
}

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

// The first position along one axis that an output reads; nullopt when its window lies in the padding.
std::optional<std::int64_t> first_inside(int out, int stride, int pad, int kernel, int dilation, int in) {
  for (int tap = 0; tap < kernel; ++tap) {
    const int at = out * stride - pad + tap * dilation;
    if (at >= 0 && at < in) return at;
  }
  return std::nullopt;
}

}  // namespace

std::optional<StepForm> conv2d_mve_form(const LoweredStep& portable, Target) {
  if (field_value(portable, "groups") != 1 || field_value(portable, "shift") != 0) return std::nullopt;
  const tml_conv2d_dsp_params p = shape_of(portable);
  const std::size_t taps = std::size_t{p.kernel_h} * p.kernel_w * p.in_c;
  if (p.out_c > 65528 || !packs_tightly_mve(p.out_c, taps, 4)) return std::nullopt;
  StepForm form;
  form.step.kernel = "tml_conv2d_s8_mve";
  form.step.operands = portable.operands;
  form.step.overlaps = {{0, output_distance_mve(p)}};
  form.step.fields.push_back({"stream", pack_product_mve(portable, taps, 4)});
  for (const std::string_view field : kShared)
    form.step.fields.push_back({std::string(field), field_value(portable, field)});
  form.scratch_bytes = scratch_bytes_mve(p);
  form.instructions = instructions_mve(p);
  return form;
}

std::size_t scratch_bytes_mve(const tml_conv2d_dsp_params& p) {
  return (reads_in_place(p) ? 0 : 2 * patch_bytes(p)) + (p.add_shift != 0 ? std::size_t{2} * p.out_c : 0);
}

std::int64_t output_distance_mve(const tml_conv2d_dsp_params& p) {
  const std::int64_t image = std::int64_t{p.in_h} * p.in_w * p.in_c, row = p.out_w, pixels = row * p.out_h;
  const std::int64_t run = is_one_run(p) ? pixels * p.batches : row;
  std::int64_t distance = -image * p.batches;
  std::int64_t first_read = std::numeric_limits<std::int64_t>::max() / 2;  // by this pixel and those behind it
  for (std::int64_t pixel = p.batches * pixels - 1; pixel >= 0; --pixel) {
    const bool begins_pair = pixel % run % 2 == 0;
    // A pair gathers its windows before it writes; read in place, it may not write over itself.
    if (begins_pair && !reads_in_place(p) && pixel + 2 < p.batches * pixels)
      distance = std::max(distance, (pixel + 2) * p.out_c - first_read);
    const int oy = static_cast<int>(pixel % pixels / row), ox = static_cast<int>(pixel % row);
    const auto y = first_inside(oy, p.stride_h, p.pad_top, p.kernel_h, p.dilation_h, p.in_h);
    const auto x = first_inside(ox, p.stride_w, p.pad_left, p.kernel_w, p.dilation_w, p.in_w);
    if (y && x) first_read = std::min(first_read, pixel / pixels * image + (*y * p.in_w + *x) * p.in_c);
    if (begins_pair && reads_in_place(p))
      distance = std::max(distance, std::min(pixel + 2, p.batches * pixels) * p.out_c - first_read);
  }
  return distance;
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
