// Each rectangle is a run of rows and a run of columns: neighbours whose taps inside of the image agree. (The
// rectangles themselves are not kept: with a kernel larger than the image there is one for each output.) Along each
// rectangle the kernel runs in the direction that gives the longer lines. Fewer channels than a panel holds:
// neighbouring pixels share a panel, side by side.
#include "lib/math/windows.h"

#include <algorithm>
#include <limits>

#include "lib/math/shares.h"

namespace tinyml::math {
namespace {

constexpr std::size_t kLeastShare = 1 << 13;  // taps times channels; see convolution.cpp

struct Axis {
  std::size_t in, out, kernel, stride, dilation, pad, pad_end;
};

// Taps whose position start + tap * dilation lies below `end`.
std::size_t taps_below(const Axis& a, std::size_t start, std::size_t end) {
  return start >= end ? 0 : std::min(a.kernel, (end - start - 1) / a.dilation + 1);
}

Windows::Run run_of(const Axis& a, std::size_t out) {
  const std::size_t start = out * a.stride;  // in the padded image
  const std::size_t first = taps_below(a, start, a.pad), last = taps_below(a, start, a.pad + a.in);
  return {out, 1, first, last - first, taps_below(a, start, a.pad + a.in + a.pad_end)};
}

std::vector<Windows::Run> runs(const Axis& a) {
  std::vector<Windows::Run> all;
  for (std::size_t out = 0; out < a.out; ++out) {
    const Windows::Run c = run_of(a, out);
    if (!all.empty() && all.back().tap == c.tap && all.back().taps == c.taps && all.back().counted == c.counted)
      ++all.back().count;
    else
      all.push_back(c);
  }
  return all;
}

}  // namespace

Windows::Windows(Kind kind, const ConvSizes& sizes, const float* weights, const float* bias)
    : kind_(kind), s_(sizes), padded_channels_((sizes.in_channels + kPanel - 1) / kPanel * kPanel) {
  const std::size_t channels = s_.in_channels, taps = weights != nullptr ? s_.kernel_h * s_.kernel_w : 1;
  if (channels != 0 && kPanel % channels == 0) side_by_side_ = kPanel / channels;
  weights_ = AlignedFloats(taps * padded_channels_);
  if (bias != nullptr) bias_ = AlignedFloats(padded_channels_);
  for (std::size_t i = 0; i < channels * side_by_side_; ++i) {
    const std::size_t c = i % channels;
    for (std::size_t t = 0; t < taps; ++t)
      weights_[t * padded_channels_ + i] = weights != nullptr ? weights[c * taps + t] : 1.0F;
    if (bias != nullptr) bias_[i] = bias[c];
  }
}

void Windows::bind(const ConvSizes& sizes, bool count_padding) {
  s_ = sizes;
  count_padding_ = count_padding;
  rows_ = runs({s_.in_h, s_.out_h, s_.kernel_h, s_.stride_h, s_.dilation_h, s_.pad_top, s_.pad_bottom});
  columns_ = runs({s_.in_w, s_.out_w, s_.kernel_w, s_.stride_w, s_.dilation_w, s_.pad_left, s_.pad_right});
}

float Windows::divisor(const Run& rows, const Run& columns) const {
  const std::size_t taps = count_padding_ ? rows.counted * columns.counted : rows.taps * columns.taps;
  return static_cast<float>(std::max<std::size_t>(1, taps));
}

void Windows::compute_line(const WindowRun& run, float divisor) const {
  const KernelSet& set = kernels();
  (kind_ == Kind::max ? set.window_max : set.window_sum)(run);
  if (kind_ != Kind::mean) return;
  for (std::size_t p = 0; p < run.pixels; ++p)
    for (std::size_t c = 0; c < run.channels; ++c) run.y[p * run.y_pixel + c] /= divisor;
}

void Windows::run_line(WindowRun run, float divisor) const {
  if (kind_ == Kind::max && run.rows * run.columns == 0) {  // all taps in the padding
    for (std::size_t p = 0; p < run.pixels; ++p)
      std::fill_n(run.y + p * run.y_pixel, run.channels, std::numeric_limits<float>::lowest());
    return;
  }
  const std::size_t f = side_by_side_, channels = run.channels;
  const bool dense = run.x_pixel == static_cast<std::ptrdiff_t>(channels) && run.y_pixel == channels;
  if (f > 1 && dense && run.pixels >= f) {
    WindowRun wide = run;
    wide.pixels = run.pixels / f;
    wide.channels = wide.y_pixel = channels * f;
    wide.x_pixel = run.x_pixel * static_cast<std::ptrdiff_t>(f);
    compute_line(wide, divisor);
    const std::size_t done = wide.pixels * f * channels;
    run.pixels %= f;
    run.x += done;
    run.y += done;
    if (run.add != nullptr) run.add += done;
  }
  if (run.pixels != 0) compute_line(run, divisor);
}

void Windows::run_rectangle(const Run& rows, const Run& columns, std::size_t image, std::size_t first, std::size_t last,
                            const float* x, float* y, const Epilogue& e) const {
  const auto channels = static_cast<std::ptrdiff_t>(s_.in_channels), width = static_cast<std::ptrdiff_t>(s_.in_w);
  const auto signed_of = [](std::size_t v) { return static_cast<std::ptrdiff_t>(v); };
  const bool vertical = columns.count < 8 && last - first > columns.count;
  const std::size_t lines = vertical ? columns.count : last - first;
  const bool weighted = kind_ == Kind::depthwise;
  for (std::size_t line = 0; line < lines; ++line) {
    const std::size_t oh = vertical ? first : first + line, ow = vertical ? columns.first + line : columns.first;
    const std::ptrdiff_t ih = signed_of(oh * s_.stride_h + rows.tap * s_.dilation_h) - signed_of(s_.pad_top);
    const std::ptrdiff_t iw = signed_of(ow * s_.stride_w + columns.tap * s_.dilation_w) - signed_of(s_.pad_left);
    const std::size_t at = ((image * s_.out_h + oh) * s_.out_w + ow) * s_.in_channels;
    const bool empty = rows.taps * columns.taps == 0;
    run_line({.x = empty ? x : x + ((signed_of(image * s_.in_h) + ih) * width + iw) * channels,
              .x_pixel = vertical ? signed_of(s_.stride_h) * width * channels : signed_of(s_.stride_w) * channels,
              .tap_row = signed_of(s_.dilation_h) * width * channels,
              .tap_column = signed_of(s_.dilation_w) * channels,
              .rows = rows.taps,
              .columns = columns.taps,
              .weights = weights_.data() + (weighted ? (rows.tap * s_.kernel_w + columns.tap) * padded_channels_ : 0),
              .weight_row = weighted ? s_.kernel_w * padded_channels_ : 0,
              .weight_column = weighted ? padded_channels_ : 0,
              .bias = bias_.size() != 0 ? bias_.data() : nullptr,
              .add = e.add != nullptr ? e.add + at : nullptr,
              .low = e.low,
              .high = e.high,
              .y = y + at,
              .y_pixel = (vertical ? s_.out_w : 1) * s_.in_channels,
              .pixels = vertical ? last - first : columns.count,
              .channels = s_.in_channels},
             divisor(rows, columns));
  }
}

void Windows::run(const float* x, float* y, const Epilogue& e, ThreadPool& pool) const {
  const std::size_t all = s_.batch * s_.out_h;
  const std::size_t work = all * s_.out_w * s_.in_channels * s_.kernel_h * s_.kernel_w;
  for_shares(
      pool, share_count(pool, all, work, kLeastShare), all, [&](std::size_t, std::size_t first, std::size_t last) {
        for (std::size_t row = first; row < last;) {
          const std::size_t image = row / s_.out_h, from = row % s_.out_h, to = std::min(s_.out_h, from + last - row);
          for (const Run& rows : rows_) {
            const std::size_t begin = std::max(from, rows.first), end = std::min(to, rows.first + rows.count);
            if (begin >= end) continue;
            for (const Run& columns : columns_) run_rectangle(rows, columns, image, begin, end, x, y, e);
          }
          row += to - from;
        }
      });
}

}  // namespace tinyml::math
