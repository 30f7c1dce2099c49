// What tml_conv2d_s8_dsp and its short sibling execute on a Cortex-M4: the assembler parts counted, what gcc 12 makes
// of the C around them (at -O2) fitted to counts under QEMU (tests/firmware/kernels/conv_dsp.c; the unit test holds the
// formula to them). It follows the kernel: pixels three by three, and windows that lie inside of the input cost less
// than others.
#include <algorithm>

#include "lib/device/pack_conv2d_dsp.h"

namespace tinyml {
namespace {

class Cost {
 public:
  Cost(const tml_conv2d_dsp_params& p, bool is_short) : p_(p) {
    run_ = p.kernel_w * p.in_c;
    fours_ = (run_ * p.kernel_h + 3) / 4;
    is_direct_ = run_ % 4 == 0 && p.dilation_w == 1;
    group_ = (is_short ? 43 : 39) + 17.0 * fours_ + 2.0 * ((fours_ + 7) / 8);
  }

  double run() const {
    const std::int64_t pixels = std::int64_t{p_.batches} * p_.out_h * p_.out_w, threes = pixels / 3, rest = pixels % 3;
    double sum = 200 + static_cast<double>(threes) * (products(3) + expand());
    if (rest != 0) sum += products(static_cast<int>(rest)) + expand();
    if (is_pointwise()) return sum + 14.0 * static_cast<double>(threes + 1);
    return sum + windows();
  }

 private:
  bool is_pointwise() const {
    return is_direct_ && p_.kernel_h == 1 && p_.kernel_w == 1 && p_.stride_h == 1 && p_.stride_w == 1 &&
           p_.pad_top == 0 && p_.pad_left == 0 && p_.in_h == p_.out_h && p_.in_w == p_.out_w;
  }

  // All channels of up to three pixels.
  double products(int pixels) const {
    const int whole = pixels == 3 ? p_.out_c / 2 : 0, others = (p_.out_c + 1) / 2 - whole;
    double sum = 36;
    if (whole > 0) sum += 8 + whole * group_;
    if (others > 0) sum += 60 + others * (group_ + 26 + 9 * pixels);
    if (p_.clamp_min > -128 || p_.clamp_max < 127) sum += 8.0 * pixels * p_.out_c;
    if (p_.add_shift != 0) sum += 60 + 8.5 * pixels * p_.out_c;
    if (p_.add_shift != 0 && (p_.add_min > -128 || p_.add_max < 127)) sum += 8.0 * pixels * p_.out_c;
    return sum;
  }

  double expand() const { return is_direct_ ? 3 + p_.kernel_h * (7 + 3.0 * run_) : 10 + 12.0 * fours_; }

  // Words, then the bytes behind them.
  static double copy(int bytes) { return 4 + 6 * (bytes / 4) + 5 * (bytes % 4); }

  // Taps of a window that lie inside, along one axis.
  static int inside(int at, int kernel, int dilation, int in) {
    int taps = 0;
    for (int tap = 0; tap < kernel; ++tap) taps += at + tap * dilation >= 0 && at + tap * dilation < in;
    return taps;
  }

  double gather(int rows, int columns) const {
    const double row = p_.dilation_w == 1 ? 8 + copy(columns * p_.in_c) : columns * (6 + copy(p_.in_c));
    return 110 + 4.0 * fours_ + 6 * (p_.kernel_h - rows) + 6 * (p_.kernel_w - columns) + rows * (8 + row);
  }

  // Pixels whose columns are made together.
  struct Three {
    int pixels = 0, gathered = 0;
    bool crosses_row = false;
    double gathers = 0;
  };

  // Where the pixels' windows come from.
  double windows() const {
    double sum = 0;
    Three three;
    for (int row = 0; row < p_.batches * p_.out_h; ++row) {
      sum += 25;
      const int y = row % p_.out_h * p_.stride_h - p_.pad_top;
      const int rows = inside(y, p_.kernel_h, p_.dilation_h, p_.in_h);
      three.crosses_row = three.pixels > 0;
      for (int ox = 0; ox < p_.out_w; ++ox) {
        const int columns = inside(ox * p_.stride_w - p_.pad_left, p_.kernel_w, p_.dilation_w, p_.in_w);
        if (rows < p_.kernel_h || columns < p_.kernel_w || p_.dilation_w != 1) {
          ++three.gathered;
          three.gathers += gather(rows, columns);
        }
        if (++three.pixels < 3) continue;
        sum += windows_of(three);
        three = {};
      }
    }
    return three.pixels == 0 ? sum : sum + windows_of(three);
  }

  double windows_of(const Three& three) const {
    const bool is_usual = three.pixels == 3 && three.gathered == 0 && !three.crosses_row;
    const double sum = three.gathers + (is_usual ? 42 : 120);
    if (is_direct_) return sum;
    if (three.gathered == 0) return sum + 95 + p_.kernel_h * (7 + 8.0 * ((run_ + 3) / 4));
    return sum + 70 + (3 - three.gathered) * p_.kernel_h * (8 + copy(run_));
  }

  const tml_conv2d_dsp_params& p_;
  int run_ = 0, fours_ = 0;
  bool is_direct_ = false;
  double group_ = 0;
};

}  // namespace

double instructions(const tml_conv2d_dsp_params& p, bool is_short) { return Cost(p, is_short).run(); }

}  // namespace tinyml
