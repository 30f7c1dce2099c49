// The stream as the record of tml_conv2d_packed_s16_mve describes it. Costs are counts of the assembler; what surrounds
// it was fitted to the layers that scripts/kernel_tests.sh --layers conv_s16_mve measures.
#include "lib/device/pack_conv2d_packed_s16_mve.h"

#include <cstring>

#include "lib/device/overlap.h"

namespace tinyml {
namespace {

constexpr const char* kShared[] = {"batches",    "in_h",     "in_w",     "in_c",      "out_h",    "out_w",
                                   "out_c",      "kernel_h", "kernel_w", "stride_h",  "stride_w", "dilation_h",
                                   "dilation_w", "pad_top",  "pad_left", "clamp_min", "clamp_max"};

double real(std::int64_t n) { return static_cast<double>(n); }

std::int64_t eights(std::int64_t n) { return (n + 7) / 8; }

Tensor pack(const LoweredStep& step, std::size_t taps) {
  const auto weights = field_tensor(step, "weights")->data<std::int8_t>();
  const auto bias = field_tensor(step, "bias")->data<std::int32_t>();
  const auto multipliers = field_tensor(step, "multipliers")->data<std::int32_t>();
  const bool per_channel = field_value(step, "multiplier_step") != 0;
  std::vector<std::uint32_t> stream;
  for (std::size_t block = 0; block < bias.size(); block += 4) {
    for (std::size_t c = block; c < block + 4; ++c) stream.push_back(static_cast<std::uint32_t>(bias[c]));
    for (std::size_t k = 0; k < taps; k += 8)
      for (std::size_t c = block; c < block + 4; ++c) {
        std::int8_t eight[8]{};
        std::uint32_t words[2];
        for (std::size_t i = 0; i < 8 && k + i < taps; ++i) eight[i] = weights[c * taps + k + i];
        std::memcpy(words, eight, sizeof words);
        stream.insert(stream.end(), words, words + 2);
      }
    for (std::size_t c = block; c < block + 4; ++c)
      stream.push_back(static_cast<std::uint32_t>(multipliers[per_channel ? c : 0]));
  }
  return Tensor::from<std::uint32_t>({static_cast<std::int64_t>(stream.size())}, stream);
}

bool reads_in_place(const RasterWalk& w) {
  const auto fits = [](const RasterWalk::Axis& axis) {
    return axis.kernel == 1 && axis.pad == 0 && (axis.out - 1) * axis.stride < axis.in;
  };
  return w.in_bytes % 8 == 0 && fits(w.h) && fits(w.w);
}

// Over the outputs along an axis: taps inside of the input, in how many the whole window is, and instructions of copies
// along a row.
struct Inside {
  double taps = 0, whole = 0, copies = 0;
};

Inside inside_of(const RasterWalk::Axis& axis, std::int64_t depth) {
  Inside sum;
  for (std::int64_t at = 0; at < axis.out; ++at) {
    std::int64_t count = 0;
    for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
      const std::int64_t position = at * axis.stride - axis.pad + tap * axis.dilation;
      count += position >= 0 && position < axis.in ? 1 : 0;
    }
    sum.taps += real(count);
    sum.whole += count == axis.kernel ? 1 : 0;
    if (count > 0)
      sum.copies += axis.dilation == 1 ? real(5 + 3 * eights(count * depth)) : real(count * (9 + 3 * eights(depth)));
  }
  return sum;
}

double instructions_of(const RasterWalk& w, std::int64_t taps) {
  const double pixels = real(w.batches * w.h.out * w.w.out), pairs = real((w.batches * w.h.out * w.w.out + 1) / 2);
  const std::int64_t steps = eights(taps), depth = w.in_bytes;
  const double block = real(20 + 14 * steps + 2 * ((steps + 3) / 4));
  const double products = 118 + 40 * real(w.batches * w.h.out) + pairs * (32 + real(w.out_bytes / 4) * block);
  if (reads_in_place(w)) return products + 30.5 * pixels;
  const Inside rows = inside_of(w.h, depth), columns = inside_of(w.w, depth);
  const double filled = taps % 8 != 0 ? pixels : pixels - real(w.batches) * rows.whole * columns.whole;
  return products + 118 * pixels + real(w.batches) * rows.taps * columns.copies + filled * real(4 + 2 * steps);
}

}  // namespace

std::optional<StepForm> conv2d_packed_s16_mve_form(const LoweredStep& portable, Target) {
  const RasterWalk w = window_walk(portable, 1);
  const std::int64_t taps = w.h.kernel * w.w.kernel * w.in_bytes;
  if (field_value(portable, "groups") != 1 || field_value(portable, "shift") != 0 || taps == 0 ||
      w.out_bytes % 4 != 0 || w.out_bytes == 0 || (w.h.out + w.w.out) * (w.h.kernel + w.w.kernel) >= 1 << 24)
    return std::nullopt;
  // Taps are padded to eights: at most 5% of the weights, but small layers may lose more.
  if (real(8 * eights(taps)) > 1.05 * real(taps) && (8 * eights(taps) - taps) * w.out_bytes > 2048) return std::nullopt;
  const bool in_place = reads_in_place(w);
  StepForm form;
  form.step.kernel = "tml_conv2d_packed_s16_mve";
  form.step.operands = portable.operands;
  // A pair gathers its windows before it writes; read in place, it may not write over itself.
  if (const auto distance = raster_distance(window_walk(portable, 2), in_place ? 2 : 0))
    form.step.overlaps = {{0, *distance}};
  form.step.fields.push_back({"stream", pack(portable, static_cast<std::size_t>(taps))});
  for (const char* field : kShared) form.step.fields.push_back({field, field_value(portable, field)});
  form.scratch_bytes = in_place ? 0 : static_cast<std::size_t>(4 * 8 * eights(taps));
  form.instructions = instructions_of(w, taps);
  return form;
}

}  // namespace tinyml
