// The loops of conv2d_s8_mve.c, followed on the shape: which pixels are read where they stand, gathered in pairs within
// the assembler, or one by one; and the blocks of four channels of a pair.
#include <algorithm>

#include "lib/device/cost_windows.h"
#include "lib/device/pack_conv2d_mve.h"

namespace tinyml {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }
std::int64_t vectors(std::int64_t bytes) { return (bytes + 15) / 16; }

class Cost {
 public:
  explicit Cost(const tml_conv2d_dsp_params& p) : p_(p), run_(std::int64_t{p.kernel_w} * p.in_c) {
    k_ = (run_ * p.kernel_h + 7) / 8 * 8;
    is_plain_ = p.out_c % 4 == 0 && p.add_shift == 0 && !is_clamped();
  }

  std::vector<CostTerm> run() {
    sum_.add("call", 1);
    if (reads_in_place_mve(p_))
      dense();
    else
      patches();
    return sum_.take();
  }

 private:
  bool is_clamped() const { return p_.clamp_min > -128 || p_.clamp_max < 127; }

  // tml_mve_pairs: `times` calls for `pairs` each.
  void product(std::int64_t pairs, std::int64_t blocks, double times) {
    const double all = times * real(pairs * blocks);
    const std::int64_t steps = k_ / 16;
    sum_.add("product", times);
    sum_.add("pair", times * real(pairs));
    sum_.add("block", all);
    if (k_ % 16 != 0) sum_.add("half_step", all);
    sum_.add("step", all * real(steps));
    sum_.add("eight_steps", all * real((steps + 7) / 8));
  }

  // conv_pairs, where one pixel may be both of a pair.
  void conv_pairs(std::int64_t pairs, bool is_one_pixel, double times) {
    const std::int64_t bytes = std::int64_t{p_.out_c} * (is_one_pixel ? 1 : 2 * pairs);
    sum_.add("pairs", times);
    if (p_.out_c >= 4) product(pairs, p_.out_c / 4, times);
    if (p_.out_c % 4 != 0) {
      sum_.add("rest", times);
      sum_.add("rest_channel", times * (p_.out_c % 4));
      product(1, 1, times);
    }
    if (is_clamped()) {
      sum_.add("clamp", times);
      sum_.add("clamped_vector", times * real(vectors(bytes)));
    }
    if (p_.add_shift != 0) {
      sum_.add("add", times);
      sum_.add("added_four", times * real((bytes + 3) / 4));
    }
  }

  void patch_pairs(std::int64_t pairs, double times) {
    if (is_plain_)
      product(pairs, p_.out_c / 4, times);
    else
      conv_pairs(1, false, times * real(pairs));
  }

  void dense() {
    const bool is_one_run = p_.stride_w == 1 && p_.stride_h == 1 && p_.in_w == p_.out_w && p_.in_h == p_.out_h;
    const std::int64_t rows = std::int64_t{p_.batches} * p_.out_h, count = is_one_run ? rows * p_.out_w : p_.out_w;
    const double runs = is_one_run ? 1 : real(rows);
    sum_.add("run", runs);
    if (count > 1 && p_.out_c % 4 == 0 && p_.add_shift == 0)
      conv_pairs(count / 2, false, runs);
    else
      conv_pairs(1, false, runs * real(count / 2));
    if (count % 2 != 0) conv_pairs(1, true, runs);
  }

  void patches() {
    const Axis y{p_.in_h, p_.out_h, p_.kernel_h, p_.stride_h, p_.dilation_h, p_.pad_top};
    const std::int64_t last_x = p_.in_w - p_.kernel_w;
    inner_ = (p_.pad_left + p_.stride_w - 1) / p_.stride_w;
    if (last_x >= 0 && p_.dilation_w == 1 && p_.out_c >= 4) outer_ = (last_x + p_.pad_left) / p_.stride_w + 1;
    outer_ = std::min<std::int64_t>(outer_, p_.out_w);
    bool is_second = false;
    for (std::int64_t row = 0; row < std::int64_t{p_.batches} * p_.out_h; ++row)
      is_second = patch_row(y.window(row % p_.out_h), is_second);
    if (is_second) conv_pairs(1, true, 1);
  }

  // Returns whether a pixel of the row waits for a second one.
  bool patch_row(Window rows, bool is_second) {
    const std::int64_t outer = rows.inside() == p_.kernel_h ? outer_ : 0;
    sum_.add("row", 1);
    sum_.add("row_cut", real(p_.kernel_h - rows.inside()));
    for (std::int64_t at = 0; at < p_.out_w; ++at) {
      if (!is_second && at >= inner_ && at + 1 < outer) {
        const std::int64_t pairs = (outer - at) / 2;
        inner_pairs(pairs);
        at += 2 * pairs - 1;
        continue;
      }
      gather(rows, at);
      if (is_second) patch_pairs(1, 1);
      is_second = !is_second;
    }
    return is_second;
  }

  void inner_pairs(std::int64_t pairs) {
    sum_.add("inner_run", 1);
    sum_.add("inner_pair", real(pairs));
    sum_.add("inner_line", real(2 * pairs * p_.kernel_h));
    sum_.add("inner_vector", real(2 * pairs * p_.kernel_h * vectors(run_)));
    patch_pairs(pairs, 1);
  }

  void gather(Window rows, std::int64_t at) {
    const Axis x{p_.in_w, p_.out_w, p_.kernel_w, p_.stride_w, p_.dilation_w, p_.pad_left};
    const Window columns = x.window(at);
    sum_.add("single", 1);
    if (p_.dilation_w > 1) {
      const std::int64_t taps = rows.inside() * columns.inside();
      sum_.add("dilated", 1);
      sum_.add("dilated_cut", real(p_.kernel_w - columns.inside()));
      sum_.add("fill_vector", real(vectors(k_)));
      sum_.add("dilated_line", real(rows.inside()));
      sum_.add("dilated_tap", real(taps));
      sum_.add("dilated_vector", real(taps * vectors(p_.in_c)));
      return;
    }
    if (rows.inside() < p_.kernel_h || columns.inside() < p_.kernel_w) {
      sum_.add("fill", 1);
      sum_.add("fill_vector", real(vectors(k_)));
    }
    if (rows.inside() == 0 || columns.inside() == 0) return;
    sum_.add("copy", 1);
    sum_.add("copied_line", real(rows.inside()));
    sum_.add("copied_vector", real(rows.inside() * vectors(columns.inside() * p_.in_c)));
  }

  const tml_conv2d_dsp_params& p_;
  std::int64_t run_ = 0, k_ = 0;        // bytes of a kernel row; of a patch
  std::int64_t inner_ = 0, outer_ = 0;  // columns whose windows lie inside
  bool is_plain_ = false;
  TermSum sum_;
};

}  // namespace

std::vector<CostTerm> conv2d_mve_terms(const tml_conv2d_dsp_params& p) { return Cost(p).run(); }

double instructions_mve(const tml_conv2d_dsp_params& p) {
  return predicted_instructions("tml_conv2d_s8_mve", conv2d_mve_terms(p), Target::cortex_m55).value_or(0);
}

}  // namespace tinyml
