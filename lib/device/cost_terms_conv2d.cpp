// The loops of conv2d_s8.c, depthwise_conv2d_s8.c and conv_transpose2d_s8.c, followed on the shape: which of its ways a
// kernel takes depends on where a window stands, so the windows are visited, those of like rows once.
#include <algorithm>
#include <bit>

#include "lib/device/cost.h"
#include "lib/device/cost_windows.h"

namespace tinyml {
namespace {

constexpr std::int64_t kPatchBytes = 144, kPairBytes = 72;  // TML_PATCH_BYTES, TML_PAIR_BYTES of conv2d_s8.c

double real(std::int64_t n) { return static_cast<double>(n); }

class Convolution {
 public:
  Convolution(const ConvShape& s, Target target) : s_(s), target_(target), stride_(s.taps * s.depth) {
    is_dense_ = s.groups == 1 && s.x.dilation == 1;
    pairs_ = s.groups == 1 && s.count >= 2;
  }

  std::vector<CostTerm> run() {
    sum_.add("call", 1);
    if (is_pointwise()) {
      const std::int64_t pixels = s_.batches * s_.y.in * s_.x.in, pairs = pairs_ ? pixels / 2 : 0;
      two_pixels(1, s_.depth, 0, real(pairs));
      add_dot_channels(sum_, stride_, s_.count, s_.shift, target_, real(pixels - 2 * pairs));
      return sum_.take();
    }
    for (const auto& [rows, times] : s_.row_kinds()) row(rows, times);
    return sum_.take();
  }

 private:
  bool is_pointwise() const {
    return s_.groups == 1 && s_.taps == 1 && s_.y.stride * s_.x.stride == 1 && s_.y.pad == 0 && s_.x.pad == 0 &&
           s_.y.in == s_.y.out && s_.x.in == s_.x.out;
  }

  void row(Window rows, double times) {
    sum_.add("row", times);
    for (std::int64_t at = 0; at < s_.x.out; ++at) {
      const Window here = s_.x.window(at);
      sum_.add("window", times);
      if (at + 1 < s_.x.out) {
        sum_.add("window", times);
        if (pair(rows, here, s_.x.window(at + 1), times)) {
          ++at;
          continue;
        }
      }
      single(rows, here, times);
    }
  }

  bool pair(Window rows, Window here, Window next, double times) {
    if (!pairs_) return false;
    if (is_dense_ && rows.inside() > 0 && s_.x.is_full(here) && s_.x.is_full(next) &&
        (s_.y.kernel == 1 || stride_ > kPairBytes)) {
      const std::int64_t line = s_.x.kernel * s_.depth;
      sum_.add("pair", times);
      two_pixels(rows.inside(), line, (s_.y.kernel - rows.inside()) * line, times);
      return true;
    }
    if (stride_ > kPairBytes) return false;
    gather(rows, here, times);
    gather(rows, next, times);
    sum_.add("patched_pair", times);
    two_pixels(1, stride_, 0, times);
    return true;
  }

  // tml_dot_pixels: pairs of channels, by hand-written loops where nothing is padded.
  void two_pixels(std::int64_t runs, std::int64_t run, std::int64_t padding, double times) {
    std::int64_t left = s_.count;
    sum_.add("two_pixels", times);
    if (has_thumb2(target_) && padding == 0 && s_.shift == 0) {
      const std::int64_t blocks = s_.count / 2;
      left = s_.count % 2;
      sum_.add("asm_call", times);
      sum_.add("asm_block", times * real(blocks));
      sum_.add("asm_run", times * real(blocks * runs));
      sum_.add("asm_eight", times * real(blocks * runs * (run / 8)));
      sum_.add("asm_tap", times * real(blocks * runs * (run % 8)));
      if (s_.is_narrow) sum_.add("clamped", times * real(4 * blocks));
    }
    const std::int64_t blocks = (left + 1) / 2;
    if (blocks == 0) return;
    sum_.add("pair_block", times * real(blocks));
    sum_.add("pair_run", times * real(blocks * runs));
    sum_.add("pair_tap", times * real(blocks * runs * run));
    if (s_.shift != 0) sum_.add("shifted", times * real(4 * blocks));
    if (padding == 0) return;
    sum_.add("padded_block", times * real(blocks));
    sum_.add("padded_tap", times * real(2 * blocks * padding));
  }

  void gather(Window rows, Window columns, double times) {
    const std::int64_t runs = is_dense_ ? 1 : columns.inside();
    const std::int64_t run = is_dense_ ? columns.inside() * s_.depth : s_.depth;
    sum_.add("gather", times);
    if (!s_.y.is_full(rows) || !s_.x.is_full(columns)) {
      sum_.add("fill", times);
      sum_.add("filled", times * real(stride_));
    }
    sum_.add("copy", times * real(rows.inside() * runs));
    add_copies(sum_, run, times * real(rows.inside() * runs));
  }

  void single(Window rows, Window columns, double times) {
    const double points = times * real(s_.groups);
    sum_.add("pixel", times);
    sum_.add("point", points);
    if (is_dense_ && s_.x.is_full(columns) && rows.inside() > 0 && s_.y.kernel == 1) {
      add_dot_channels(sum_, stride_, s_.count, s_.shift, target_, points);
    } else if (stride_ <= kPatchBytes) {
      gather(rows, columns, points);
      add_dot_channels(sum_, stride_, s_.count, s_.shift, target_, points);
    } else {
      by_rows(rows, columns, points);
    }
  }

  // conv_rows: a block of channels, kernel row by kernel row.
  void by_rows(Window rows, Window columns, double times) {
    const std::int64_t outputs = s_.count < 4 ? 1 : 4, line = s_.x.kernel * s_.depth;
    const double blocks = times * real((s_.count + outputs - 1) / outputs);
    const std::int64_t runs = is_dense_ ? (columns.inside() > 0 ? 1 : 0) : columns.inside();
    const std::int64_t run = is_dense_ ? columns.inside() * s_.depth : s_.depth;
    const double inside = blocks * real(rows.inside()), outside = blocks * real(s_.y.kernel - rows.inside());
    sum_.add("rows_block", blocks);
    sum_.add("rows_out", blocks * real(outputs));
    if (s_.shift != 0) sum_.add("shifted", blocks * real(outputs));
    sum_.add("rows_line", inside);
    sum_.add("run", inside * real(runs));
    add_taps("run", run, inside * real(runs));
    sum_.add("padding", outside + inside * real((columns.begin > 0 ? 1 : 0) + (columns.end < s_.x.kernel ? 1 : 0)));
    sum_.add("padding_tap", outside * real(line) + inside * real((s_.x.kernel - columns.inside()) * s_.depth));
  }

  void add_taps(std::string_view what, std::int64_t taps, double times) {
    const bool by_four = has_thumb2(target_);
    if (by_four) sum_.add(what == "run" ? "run_four" : "dot_four", times * real(taps / 4));
    sum_.add(what == "run" ? "run_tap" : "dot_tap", times * real(by_four ? taps % 4 : taps));
  }

  const ConvShape& s_;
  Target target_;
  std::int64_t stride_;
  bool is_dense_ = false, pairs_ = false;
  TermSum sum_;
};

class Depthwise {
 public:
  Depthwise(const ConvShape& s, Target target) : s_(s), by_hand_(has_thumb2(target) && s.shift == 0) {
    const std::int64_t ratio = std::max<std::int64_t>(s.out_c / std::max<std::int64_t>(s.in_c, 1), 1);
    for (std::int64_t c = 0; c < s.out_c; ++c) quotient_bits_ += std::bit_width(static_cast<std::uint64_t>(c / ratio));
  }

  std::vector<CostTerm> run() {
    sum_.add("call", 1);
    for (const auto& [rows, times] : s_.row_kinds()) {
      sum_.add("row", times);
      for (std::int64_t at = 0; at < s_.x.out; ++at) pixel(rows, s_.x.window(at), times);
    }
    return sum_.take();
  }

 private:
  void pixel(Window rows, Window columns, double times) {
    sum_.add("pixel", times);
    if (s_.out_c != s_.in_c || s_.out_c < 4) {
      const std::int64_t inside = rows.inside() * columns.inside();
      sum_.add("single", times * real(s_.out_c));
      sum_.add("single_line", times * real(s_.out_c * s_.y.kernel));
      sum_.add("single_inside", times * real(s_.out_c * inside));
      sum_.add("quotient_bit", times * real(quotient_bits_ * inside));
      sum_.add("single_outside", times * real(s_.out_c * (s_.taps - inside)));
      if (s_.shift != 0) sum_.add("shifted", times * real(s_.out_c));
    } else if (s_.x.is_full(columns)) {
      lines(s_.y.kernel, s_.x.kernel, times);
    } else if (s_.y.is_full(rows)) {
      lines(s_.x.kernel, s_.y.kernel, times);
    } else {
      border(rows, columns, times);
    }
  }

  double blocks() const { return real((s_.out_c + 3) / 4); }

  void lines(std::int64_t count, std::int64_t taps, double times) {
    const double all = times * blocks();
    if (by_hand_) {
      sum_.add("asm_call", times * (s_.out_c % 4 == 0 ? 1 : 2));
      sum_.add("asm_block", all);
      sum_.add("asm_line", all * real(count));
      if (taps == 3)
        sum_.add("asm_three", all * real(count));
      else
        sum_.add("asm_tap", all * real(count * taps));
      if (s_.is_narrow) sum_.add("clamped", 4 * all);
      return;
    }
    sum_.add("run", times);
    sum_.add("block", all);
    sum_.add("line", all * real(count));
    sum_.add("tap", all * real(count * taps));
    if (s_.shift != 0) sum_.add("shifted", 4 * all);
  }

  void border(Window rows, Window columns, double times) {
    const double all = times * blocks();
    sum_.add("border", times);
    sum_.add("border_block", all);
    sum_.add("border_line", all * real(s_.y.kernel));
    sum_.add("border_tap", all * real(s_.taps));
    sum_.add("border_inside", all * real(rows.inside() * columns.inside()));
    if (s_.shift != 0) sum_.add("shifted", 4 * all);
  }

  const ConvShape& s_;
  bool by_hand_;
  std::int64_t quotient_bits_ = 0;  // of channel / ratio, which a core without division computes bit by bit
  TermSum sum_;
};

// Taps whose distance to the output is a multiple of the stride and falls on an input, summed over the axis.
std::int64_t transposed_taps(const Axis& axis) {
  std::int64_t sum = 0;
  for (std::int64_t at = 0; at < axis.out; ++at)
    for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
      const std::int64_t distance = at + axis.pad - tap * axis.dilation;
      sum += distance >= 0 && distance % axis.stride == 0 && distance / axis.stride < axis.in;
    }
  return sum;
}

}  // namespace

std::vector<CostTerm> conv2d_terms(const LoweredStep& step, Target target) {
  const ConvShape s(step);
  return s.is_walkable() ? Convolution(s, target).run() : std::vector<CostTerm>();
}

std::vector<CostTerm> depthwise_terms(const LoweredStep& step, Target target) {
  const ConvShape s(step);
  return s.is_walkable() ? Depthwise(s, target).run() : std::vector<CostTerm>();
}

std::vector<CostTerm> conv_transpose_terms(const LoweredStep& step, Target) {
  const ConvShape s(step);
  if (!s.is_walkable()) return {};
  const double rows = real(s.batches * transposed_taps(s.y)), columns = real(transposed_taps(s.x));
  const std::int64_t outputs = s.count < 4 ? 1 : 4;
  const double pixels = real(s.batches * s.y.out * s.x.out);
  const double blocks = real(s.groups * ((s.count + outputs - 1) / outputs));
  TermSum sum;
  sum.add("call", 1);
  sum.add("pixel", pixels);
  sum.add("group", pixels * real(s.groups));
  sum.add("block", pixels * blocks);
  sum.add("line", pixels * blocks * real(s.y.kernel));
  sum.add("position", rows * real(s.x.out * s.x.kernel) * blocks);
  sum.add("run", rows * columns * blocks);
  sum.add("tap", rows * columns * blocks * real(s.depth));
  sum.add("out", pixels * blocks * real(outputs));
  if (s.shift != 0) sum.add("shifted", pixels * blocks * real(outputs));
  return sum.take();
}

}  // namespace tinyml
