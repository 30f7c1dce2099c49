// The loops of conv2d_dsp.c and of the products it calls, followed on the shape: pixels three by three, and windows
// that are read where they stand, copied, or gathered with their padding.
#include <algorithm>

#include "lib/device/cost_windows.h"
#include "lib/device/pack_conv2d_dsp.h"

namespace tinyml {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }

class Cost {
 public:
  Cost(const tml_conv2d_dsp_params& p, bool is_short)
      : p_(p),
        is_short_(is_short),
        y_{p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top},
        x_{p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left},
        run_(std::int64_t{p.kernel_w} * p.in_c),
        fours_((run_ * p.kernel_h + 3) / 4),
        image_(std::int64_t{p.in_h} * p.in_w * p.in_c),
        is_direct_(run_ % 4 == 0 && p.dilation_w == 1) {}

  std::vector<CostTerm> run() {
    const std::int64_t pixels = std::int64_t{p_.batches} * p_.out_h * p_.out_w, threes = pixels / 3;
    sum_.add("call", 1);
    outputs(3, real(threes));
    if (pixels % 3 != 0) outputs(pixels % 3, 1);
    expand(real(threes + (pixels % 3 != 0 ? 1 : 0)));
    if (is_pointwise())
      sum_.add("points", real(threes + (pixels % 3 != 0 ? 1 : 0)));
    else
      for (std::int64_t at = 0; at < pixels; at += 3) windows(at, std::min<std::int64_t>(3, pixels - at));
    return sum_.take();
  }

 private:
  bool is_pointwise() const {
    return is_direct_ && p_.kernel_h == 1 && p_.kernel_w == 1 && p_.stride_h == 1 && p_.stride_w == 1 &&
           p_.pad_top == 0 && p_.pad_left == 0 && p_.in_h == p_.out_h && p_.in_w == p_.out_w;
  }

  void product(std::int64_t blocks, double times) {
    sum_.add("product", times);
    sum_.add(is_short_ ? "block" : "long_block", times * real(blocks));
    sum_.add("step", times * real(blocks * fours_));
    sum_.add("eight_steps", times * real(blocks * ((fours_ + 7) / 8)));
  }

  // conv_outputs: all channels of up to three pixels.
  void outputs(std::int64_t pixels, double times) {
    const std::int64_t whole = pixels == 3 ? p_.out_c / 2 : 0, others = (p_.out_c + 1) / 2 - whole;
    const double values = times * real(pixels * p_.out_c);
    sum_.add("outputs", times);
    if (whole > 0) product(whole, times);
    if (others > 0) {
      sum_.add("partly", times);
      sum_.add("partly_value", times * real(others * pixels));
      product(1, times * real(others));
    }
    if (p_.clamp_min > -128 || p_.clamp_max < 127) clamp(values, times);
    if (p_.add_shift == 0) return;
    sum_.add("add", times);
    sum_.add("added", values);
    if (p_.add_min > -128 || p_.add_max < 127) clamp(values, times);
  }

  void clamp(double values, double times) {
    sum_.add("clamp", times);
    sum_.add("clamped", values);
  }

  void expand(double times) {
    const std::int64_t rows = is_direct_ ? p_.kernel_h : 1;
    sum_.add("expand", times);
    sum_.add("expanded_row", times * real(rows));
    sum_.add("expanded_word", times * real(is_direct_ ? rows * run_ / 4 : fours_));
  }

  struct Pixel {
    std::int64_t batch, y, x;
  };
  Pixel pixel(std::int64_t at) const {
    return {at / (std::int64_t{p_.out_h} * p_.out_w), at / p_.out_w % p_.out_h, at % p_.out_w};
  }

  // Read where it stands: inside, and its words do not reach behind the input.
  bool is_inside(Pixel at) const {
    if (p_.dilation_w != 1 || !y_.is_full(y_.window(at.y)) || !x_.is_full(x_.window(at.x))) return false;
    const std::int64_t from =
        ((at.y * p_.stride_h - p_.pad_top) * p_.in_w + at.x * p_.stride_w - p_.pad_left) * p_.in_c;
    const std::int64_t pitch = std::int64_t{p_.dilation_h} * p_.in_w * p_.in_c;
    return from <= (p_.batches - at.batch) * image_ - (p_.kernel_h - 1) * pitch - (run_ + 3) / 4 * 4;
  }

  // conv_columns, of which the last pixel is found again where there are fewer than three.
  void windows(std::int64_t first, std::int64_t pixels) {
    std::int64_t inside = 0;
    for (std::int64_t i = 0; i < 3; ++i) inside += is_inside(pixel(first + std::min(i, pixels - 1))) ? 1 : 0;
    const Pixel begin = pixel(first), end = pixel(first + pixels - 1);
    if (pixels == 3 && inside == 3 && begin.y == end.y && begin.batch == end.batch) {
      sum_.add("three", 1);
    } else {
      sum_.add("found_three", 1);
      for (std::int64_t i = 0; i < 3; ++i) find(pixel(first + std::min(i, pixels - 1)));
    }
    if (end.x + 1 == p_.out_w || begin.y != end.y || begin.batch != end.batch) sum_.add("row", 1);
    if (!is_direct_) patches(inside);
  }

  void find(Pixel at) {
    if (is_inside(at))
      sum_.add("found", 1);
    else
      gather(y_.window(at.y), x_.window(at.x));
  }

  void patches(std::int64_t inside) {
    sum_.add("patches", 1);
    if (inside == 3) {
      sum_.add("copied_three", 1);
      sum_.add("copied_row", p_.kernel_h);
      sum_.add("copied_word", real(p_.kernel_h * ((run_ + 3) / 4)));
    } else {
      copy(inside * p_.kernel_h, run_);
    }
  }

  void copy(std::int64_t runs, std::int64_t bytes) {
    sum_.add("run", real(runs));
    sum_.add("word", real(runs * (bytes / 4)));
    sum_.add("byte", real(runs * (bytes % 4)));
  }

  void gather(Window rows, Window columns) {
    const bool dense = p_.dilation_w == 1;
    sum_.add("gather", 1);
    sum_.add("filled", real(fours_));
    sum_.add("cut", real(p_.kernel_h - rows.inside() + p_.kernel_w - columns.inside()));
    sum_.add("gathered_row", real(rows.inside()));
    if (columns.inside() == 0) return;
    copy(rows.inside() * (dense ? 1 : columns.inside()), dense ? columns.inside() * p_.in_c : p_.in_c);
  }

  const tml_conv2d_dsp_params& p_;
  bool is_short_;
  Axis y_, x_;
  std::int64_t run_, fours_, image_;  // bytes of a kernel row; steps of four taps; bytes of an image
  bool is_direct_;
  TermSum sum_;
};

}  // namespace

std::vector<CostTerm> conv2d_dsp_terms(const tml_conv2d_dsp_params& p, bool is_short) {
  return Cost(p, is_short).run();
}

double instructions(const tml_conv2d_dsp_params& p, bool is_short, Target target) {
  return predicted_instructions("tml_conv2d_short_s8_dsp", conv2d_dsp_terms(p, is_short), target).value_or(0);
}

}  // namespace tinyml
