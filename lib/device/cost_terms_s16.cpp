// The loops of the kernels with 16-bit activations that have a window; rows and columns of a window are independent, so
// sums over an axis suffice. What has no window is counted as its int8 sibling (cost_terms.cpp).
#include <bit>

#include "lib/device/cost.h"
#include "lib/device/cost_windows.h"

namespace tinyml {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }

// All windows of an axis together.
struct AxisSum {
  double inside = 0, before = 0, behind = 0;  // taps: inside of the input, on its two sides
  double reached = 0;                         // windows with any tap inside

  explicit AxisSum(const Axis& axis) {
    for (std::int64_t at = 0; at < axis.out; ++at) {
      const Window window = axis.window(at);
      inside += real(window.inside());
      before += real(window.begin);
      behind += real(axis.kernel - window.end);
      reached += window.inside() > 0 ? 1 : 0;
    }
  }
};

struct Windows {
  explicit Windows(const ConvShape& s)
      : y(s.y), x(s.x), images(real(s.batches)), rows(images * real(s.y.out)), pixels(rows * real(s.x.out)) {}

  AxisSum y, x;
  double images, rows, pixels;

  void add(TermSum& sum) const {
    sum.add("row", rows);
    sum.add("pixel", pixels);
    sum.add("before", rows * x.before);
    sum.add("behind", rows * x.behind);
    sum.add("row_cut", images * (y.before + y.behind));
    sum.add("reached", images * y.reached * x.reached);
  }
  // Window rows that are read, where a window without columns has none; where it has them all the same.
  double lines() const { return images * y.inside * x.reached; }
  double all_lines(const ConvShape& s) const { return images * y.inside * real(s.x.out); }
  double taps() const { return images * y.inside * x.inside; }
};

void conv_terms(TermSum& sum, const ConvShape& s, const Windows& w, bool is_wide) {
  constexpr std::int64_t kPiece = 256;  // TML_S16_PIECE
  const bool dense = s.groups == 1 && s.x.dilation == 1;
  const std::int64_t rows = s.count < 4 ? 1 : 4, blocks = s.groups * ((s.count + rows - 1) / rows);
  const double all = real(blocks), outputs = w.pixels * real(blocks * rows);
  sum.add("group", w.pixels * real(s.groups));
  sum.add("block", w.pixels * all);
  sum.add("entered", all * w.images * w.y.reached * real(s.x.out));
  sum.add("line", all * w.all_lines(s));
  sum.add("run", all * (dense ? w.lines() : w.taps()));
  sum.add("tap", all * w.taps() * real(s.depth));
  sum.add("out", outputs);
  if (s.shift != 0) sum.add("shifted", outputs);
  if (!is_wide) return;
  double pieces = 0;
  for (std::int64_t at = 0; dense && at < s.x.out; ++at)
    pieces += real((std::max<std::int64_t>(s.x.window(at).inside() * s.depth, 1) - 1) / kPiece);
  if (!dense) pieces = w.x.inside * real((s.depth - 1) / kPiece);
  sum.add("piece", all * w.images * w.y.inside * pieces);
}

// Eight taps of four channels at a time, the last ones with fewer lanes.
void conv_mve_terms(TermSum& sum, const ConvShape& s, const Windows& w) {
  const double blocks = real((s.out_c + 3) / 4);
  double eights = 0;
  for (std::int64_t at = 0; at < s.x.out; ++at) {
    const std::int64_t inside = s.x.window(at).inside();
    eights += s.x.dilation == 1 ? real((inside * s.in_c + 7) / 8) : real(inside * ((s.in_c + 7) / 8));
  }
  sum.add("block", w.pixels * blocks);
  sum.add("line", blocks * w.lines());
  sum.add("run", blocks * (s.x.dilation == 1 ? w.lines() : w.taps()));
  sum.add("eight", blocks * w.images * w.y.inside * eights);
}

void depthwise_terms(TermSum& sum, const ConvShape& s, const Windows& w) {
  if (s.out_c == s.in_c && s.out_c >= 4) {
    const double blocks = real((s.out_c + 3) / 4);
    sum.add("block", w.pixels * blocks);
    sum.add("line", blocks * w.lines());
    sum.add("tap", blocks * w.taps());
    if (s.shift != 0) sum.add("shifted", w.pixels * blocks * 4);
    return;
  }
  const std::int64_t each = s.out_c / std::max<std::int64_t>(s.in_c, 1);
  double bits = 0;  // of c / each, which a core without division computes bit by bit
  for (std::int64_t c = 0; c < s.out_c; ++c)
    bits += real(std::bit_width(static_cast<std::uint64_t>(c / std::max<std::int64_t>(each, 1))));
  sum.add("single", w.pixels * real(s.out_c));
  sum.add("quotient_bit", w.pixels * bits);
  sum.add("single_line", real(s.out_c) * w.lines());
  sum.add("single_tap", real(s.out_c) * w.taps());
  if (s.shift != 0) sum.add("shifted", w.pixels * real(s.out_c));
}

void depthwise_mve_terms(TermSum& sum, const ConvShape& s, const Windows& w) {
  const double blocks = real((s.out_c + 7) / 8);
  sum.add("block", w.pixels * blocks);
  sum.add("line", blocks * w.lines());
  sum.add("tap", blocks * w.taps());
}

// Two channels together, or one by one for the largest.
void pool_terms(TermSum& sum, const LoweredStep& step, const Windows& w) {
  const std::int64_t channels = field_value(step, "channels");
  const bool is_average = step.kernel == "tml_avg_pool2d_s16";
  const double blocks = real(is_average ? (channels + 1) / 2 : channels);
  sum.add("block", w.pixels * blocks);
  if (is_average) sum.add("out", w.pixels * real(channels));
  sum.add("line", blocks * w.lines());
  sum.add("tap", blocks * w.taps());
  if (is_average && field_value(step, "shift") != 0) sum.add("shifted", w.pixels * real(channels));
}

// Three pixels by two channels at a time: conv2d_s16_dsp.c.
class Dsp {
 public:
  explicit Dsp(const ConvShape& s) : s_(s), run_(s.x.kernel * s.in_c), k_((run_ * s.y.kernel + 3) / 4 * 4) {
    is_direct_ = run_ % 2 == 0 && s.x.dilation == 1;
  }

  void add(TermSum& sum, const LoweredStep& step) {
    const std::int64_t pixels = s_.batches * s_.y.out * s_.x.out, threes = pixels / 3, left = pixels % 3;
    const std::int64_t odd = s_.out_c % 2;
    windows(sum);
    columns(sum, threes + (left > 0 ? 1 : 0));
    sum.add("output_row", real(s_.batches * s_.y.out));
    if (s_.out_c > 1) product(sum, real(threes), s_.out_c / 2);
    if (odd != 0) partly(sum, real(threes), 1, 3);
    if (left > 0) partly(sum, 1, (s_.out_c + 1) / 2, left);
    const std::int64_t low = field_value(step, "clamp_min");
    if ((low != 0 && low != INT16_MIN) || field_value(step, "clamp_max") != INT16_MAX)
      sum.add("clamped", real(pixels * s_.out_c));
  }

 private:
  void product(TermSum& sum, double times, std::int64_t blocks) const {
    const std::int64_t fours = k_ / 4;
    sum.add("product", times);
    sum.add("block", times * real(blocks));
    sum.add("step", times * real(blocks * fours));
    sum.add("eight_steps", times * real(blocks * ((fours + 7) / 8)));
  }

  void partly(TermSum& sum, double times, std::int64_t blocks, std::int64_t pixels) const {
    sum.add("partly", times);
    sum.add("partly_value", times * real(blocks * pixels));
    product(sum, times * real(blocks), 1);
  }

  void columns(TermSum& sum, std::int64_t threes) const {
    sum.add("three", real(threes));
    sum.add("expanded_row", real(threes * (is_direct_ ? s_.y.kernel : 1)));
    sum.add("expanded_word", real(threes * (is_direct_ ? s_.y.kernel * run_ / 2 : k_ / 2)));
  }

  // Those read where they stand, and those gathered first.
  void windows(TermSum& sum) const {
    const auto rows = s_.row_kinds();
    for (std::int64_t at = 0; at < s_.x.out; ++at) {
      const Window x = s_.x.window(at);
      for (const auto& [y, times] : rows)
        if (is_direct_ && s_.x.is_full(x) && s_.y.is_full(y))
          sum.add("window", times);
        else
          gather(sum, y, x, times);
    }
  }

  void gather(TermSum& sum, Window y, Window x, double times) const {
    const bool dense = s_.x.dilation == 1;
    const std::int64_t n = dense ? x.inside() * s_.in_c : s_.in_c;
    const double runs = times * real(y.inside() * (dense ? (x.inside() > 0 ? 1 : 0) : x.inside()));
    sum.add("gather", times);
    sum.add("cut", times * real(s_.y.kernel - y.inside() + s_.x.kernel - x.inside()));
    sum.add("filled", times * real(k_ / 4));
    sum.add("gathered_line", times * real(y.inside()));
    sum.add("gathered_run", runs);
    sum.add("gathered_word", runs * real(n / 2));
    if (n % 2 != 0) sum.add("gathered_odd", runs);
  }

  const ConvShape& s_;
  std::int64_t run_, k_;
  bool is_direct_ = false;
};

// One row by four channels at a time: fully_connected_s16_dsp.c.
std::vector<CostTerm> dense_dsp_terms(const LoweredStep& step) {
  const std::int64_t taps = field_value(step, "in_features"), channels = field_value(step, "out_features");
  const std::int64_t fours = (taps + 3) / 4, low = field_value(step, "clamp_min");
  const double rows = real(field_value(step, "rows")), blocks = rows * real((channels + 3) / 4);
  TermSum sum;
  sum.add("call", 1);
  sum.add("row", rows);
  sum.add("product", rows * ((channels >= 4 ? 1 : 0) + (channels % 4 != 0 ? 1 : 0)));
  sum.add("block", blocks);
  sum.add("step", blocks * real(fours));
  sum.add("four_steps", blocks * real((fours + 3) / 4));
  if (channels % 4 != 0) sum.add("rest", rows);
  sum.add("rest_value", rows * real(channels % 4));
  if (taps % 4 != 0) {
    sum.add("copied_row", rows);
    sum.add("copied_word", rows * real(taps / 2));
    sum.add("copied_zero", rows * real(4 * fours - taps));
  }
  if ((low != 0 && low != INT16_MIN) || field_value(step, "clamp_max") != INT16_MAX)
    sum.add("clamped", rows * real(channels));
  return sum.take();
}

}  // namespace

std::vector<CostTerm> s16_terms(const LoweredStep& step, Target) {
  const std::string_view kernel = step.kernel;
  if (kernel == "tml_fully_connected_s16_dsp") return dense_dsp_terms(step);
  const ConvShape s(step);
  if (!kernel.ends_with("_s16") && !kernel.ends_with("_s16_mve") && !kernel.ends_with("_s16_dsp")) return {};
  if (s.y.kernel == 0 || !s.y.is_walkable() || !s.x.is_walkable()) return {};
  const Windows w(s);
  TermSum sum;
  sum.add("call", 1);
  if (kernel == "tml_conv2d_s16_dsp") {
    Dsp(s).add(sum, step);
    return sum.take();
  }
  w.add(sum);
  if (kernel == "tml_conv2d_s16" || kernel == "tml_conv2d_wide_s16")
    conv_terms(sum, s, w, kernel == "tml_conv2d_wide_s16");
  else if (kernel == "tml_conv2d_s16_mve")
    conv_mve_terms(sum, s, w);
  else if (kernel == "tml_depthwise_conv2d_s16")
    depthwise_terms(sum, s, w);
  else if (kernel == "tml_depthwise_conv2d_s16_mve")
    depthwise_mve_terms(sum, s, w);
  else if (kernel == "tml_avg_pool2d_s16" || kernel == "tml_max_pool2d_s16")
    pool_terms(sum, step, w);
  else
    return {};
  return sum.take();
}

}  // namespace tinyml
