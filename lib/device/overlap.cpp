// Pixel p of the output occupies bytes [p * out_bytes, (p + 1) * out_bytes); pixel q reads no input byte below
// first(q). Let d = max over p of (p + 1) * out_bytes - min over q > p - block of first(q).
//
// Claim: if out + d <= in, no byte of the input is read after it was written over. Proof: when a byte of pixel p is
// written, the reads still to come are those of pixels q > p - block: with block = 0 because the windows of p and
// all before were read before p was written; with block = k because the kernel may return to the windows of at most
// k neighbouring pixels, p among them. Such a read is at in + first(q) or above, and in + first(q) >= in + (p + 1) *
// out_bytes - d >= out + (p + 1) * out_bytes, which is behind the last byte written for p. Reading ahead is harmless.
#include "lib/device/overlap.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "lib/device/variants.h"

namespace tinyml {
namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

// The first input position that output position `out` reads along an axis; kNone where all taps are padding.
std::int64_t first_tap(const RasterWalk::Axis& axis, std::int64_t out) {
  const std::int64_t origin = out * axis.stride - axis.pad;
  const std::int64_t skipped = origin < 0 ? (-origin + axis.dilation - 1) / axis.dilation : 0;
  const std::int64_t position = origin + skipped * axis.dilation;
  return skipped < axis.kernel && position < axis.in ? position : kNone;
}

std::vector<std::int64_t> first_taps(const RasterWalk::Axis& axis) {
  std::vector<std::int64_t> taps;
  for (std::int64_t i = 0; i < axis.out; ++i) taps.push_back(first_tap(axis, i));
  return taps;
}

// The first input byte that each output pixel reads.
std::vector<std::int64_t> first_reads(const RasterWalk& walk) {
  const std::vector<std::int64_t> rows = first_taps(walk.h), columns = first_taps(walk.w);
  std::vector<std::int64_t> reads;
  for (std::int64_t b = 0; b < walk.batches; ++b)
    for (const std::int64_t y : rows)
      for (const std::int64_t x : columns)
        reads.push_back(y == kNone || x == kNone ? kNone : ((b * walk.h.in + y) * walk.w.in + x) * walk.in_bytes);
  return reads;
}

// The portable kernels compute a pixel's channels in groups and read its window again for each group; conv2d does so
// with two neighbouring pixels at a time. (Small windows are copied first, but only where there is a single group.) Not
// here: copy and remap move rows by memcpy, whose operands must not overlap; conv_transpose, resize and the reductions
// do not run in raster order.
std::optional<std::int64_t> portable_distance(const LoweredStep& step) {
  const std::string& kernel = step.kernel;
  if (kernel == "tml_conv2d_s16" || kernel == "tml_conv2d_wide_s16" || kernel == "tml_depthwise_conv2d_s16" ||
      kernel == "tml_max_pool2d_s16" || kernel == "tml_avg_pool2d_s16")
    return raster_distance(window_walk(step, 2), 1);
  if (kernel == "tml_conv2d_s8") return raster_distance(window_walk(step), 2);
  if (kernel == "tml_depthwise_conv2d_s8" || kernel == "tml_max_pool2d_s8" || kernel == "tml_avg_pool2d_s8")
    return raster_distance(window_walk(step), 1);
  if (kernel != "tml_fully_connected_s8") return std::nullopt;
  return raster_distance(rows_walk(step), 1);
}

}  // namespace

RasterWalk rows_walk(const LoweredStep& step) {
  RasterWalk rows;
  rows.batches = field_value(step, "rows");
  rows.in_bytes = field_value(step, "in_features");
  rows.out_bytes = field_value(step, "out_features");
  return rows;
}

RasterWalk window_walk(const LoweredStep& step, std::int64_t element_bytes) {
  RasterWalk walk;
  walk.batches = field_value(step, "batches");
  walk.h = {field_value(step, "in_h"),     field_value(step, "out_h"),      field_value(step, "kernel_h"),
            field_value(step, "stride_h"), field_value(step, "dilation_h"), field_value(step, "pad_top")};
  walk.w = {field_value(step, "in_w"),     field_value(step, "out_w"),      field_value(step, "kernel_w"),
            field_value(step, "stride_w"), field_value(step, "dilation_w"), field_value(step, "pad_left")};
  const std::int64_t channels = field_value(step, "channels");
  walk.in_bytes = element_bytes * (channels != 0 ? channels : field_value(step, "in_c"));
  walk.out_bytes =
      element_bytes * (channels != 0 ? channels : field_value(step, "out_c")) + field_value(step, "out_gap");
  return walk;
}

std::optional<std::int64_t> raster_distance(const RasterWalk& walk, int block) {
  constexpr std::int64_t kLongest = 1 << 20;  // pixels, so that following them takes milliseconds
  const std::int64_t pixels = walk.batches * walk.h.out * walk.w.out;
  if (pixels <= 0 || pixels > kLongest || walk.h.dilation < 1 || walk.w.dilation < 1) return std::nullopt;
  const std::vector<std::int64_t> reads = first_reads(walk);
  std::int64_t distance = -kNone, still_read = kNone;
  std::int64_t next = pixels;  // still_read covers the pixels from here on
  for (std::int64_t p = pixels - 1; p >= 0; --p) {
    while (next > std::max<std::int64_t>(0, p + 1 - block))
      still_read = std::min(still_read, reads[static_cast<std::size_t>(--next)]);
    if (still_read != kNone) distance = std::max(distance, (p + 1) * walk.out_bytes - still_read);
  }
  if (distance == -kNone) return std::nullopt;
  return distance;
}

std::vector<StepOverlap> overlaps_of(const LoweredStep& step) {
  std::vector<StepOverlap> overlaps = step.overlaps;
  for (const std::size_t operand : step.in_place) overlaps.push_back({operand, std::nullopt});
  if (!overlaps.empty()) return overlaps;
  if (const auto distance = portable_distance(step)) overlaps.push_back({0, *distance});
  return overlaps;
}

}  // namespace tinyml
