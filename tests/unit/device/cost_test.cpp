// Predicted instructions of portable kernels and pools against counts under QEMU, on layers that the fit has not seen
// (scripts/kernel_tests.sh --layers portable pool_dsp), and properties of the terms.
#include "lib/device/cost.h"

#include <catch2/catch.hpp>
#include <map>

#include "lib/device/cycles.h"

using namespace tinyml;

namespace {

struct Layer {
  std::int64_t h, w, in_c, out_c, kernel_h, kernel_w, stride, pad_h, pad_w, end;
};

LoweredStep convolution(const std::string& kernel, const Layer& l) {
  LoweredStep step;
  step.kernel = kernel;
  const std::map<std::string, std::int64_t> fields{{"batches", 1},
                                                   {"in_h", l.h},
                                                   {"in_w", l.w},
                                                   {"in_c", l.in_c},
                                                   {"out_c", l.out_c},
                                                   {"channels", l.in_c},
                                                   {"out_h", (l.h + 2 * l.pad_h + l.end - l.kernel_h) / l.stride + 1},
                                                   {"out_w", (l.w + 2 * l.pad_w + l.end - l.kernel_w) / l.stride + 1},
                                                   {"kernel_h", l.kernel_h},
                                                   {"kernel_w", l.kernel_w},
                                                   {"stride_h", l.stride},
                                                   {"stride_w", l.stride},
                                                   {"dilation_h", 1},
                                                   {"dilation_w", 1},
                                                   {"groups", kernel == "tml_depthwise_conv2d_s8" ? l.in_c : 1},
                                                   {"pad_top", l.pad_h},
                                                   {"pad_left", l.pad_w},
                                                   {"clamp_min", -128},
                                                   {"clamp_max", 127}};
  for (const auto& [name, value] : fields) step.fields.push_back({name, value});
  return step;
}

double on(Target target, const LoweredStep& step) { return predicted_instructions(step, target).value(); }

}  // namespace

TEST_CASE("predicted instructions of portable convolutions are within 5% of what QEMU counts", "[device]") {
  const auto conv = [](const Layer& l) { return convolution("tml_conv2d_s8", l); };
  const LoweredStep first = conv({49, 10, 1, 64, 10, 4, 2, 4, 1, 1});
  CHECK(on(Target::cortex_m0, first) == Approx(3271316).epsilon(0.05));
  const LoweredStep point = conv({25, 5, 64, 64, 1, 1, 1, 0, 0, 0});
  CHECK(on(Target::cortex_m0, point) == Approx(4829928).epsilon(0.05));
  CHECK(on(Target::riscv32, point) == Approx(2625477).epsilon(0.05));
  const LoweredStep square = conv({16, 16, 32, 32, 3, 3, 1, 1, 1, 0});
  CHECK(on(Target::cortex_m0, square) == Approx(18368304).epsilon(0.05));
  CHECK(on(Target::riscv32, square) == Approx(10782553).epsilon(0.05));
}

TEST_CASE("predicted instructions of portable depthwise convolutions are within 5% of what QEMU counts", "[device]") {
  const auto depthwise = [](const Layer& l) { return convolution("tml_depthwise_conv2d_s8", l); };
  const LoweredStep full = depthwise({25, 5, 64, 64, 3, 3, 1, 1, 1, 0});
  CHECK(on(Target::cortex_m0, full) == Approx(1569780).epsilon(0.05));
  CHECK(on(Target::riscv32, full) == Approx(638176).epsilon(0.05));
  const LoweredStep strided = depthwise({48, 48, 16, 16, 3, 3, 2, 0, 0, 1});
  CHECK(on(Target::cortex_m0, strided) == Approx(1873577).epsilon(0.05));
  CHECK(on(Target::riscv32, strided) == Approx(778220).epsilon(0.05));
}

TEST_CASE("predicted instructions of pooling for the DSP extension are within 5% of what QEMU counts", "[device]") {
  const auto pool = [](const char* kernel, std::int64_t size, std::int64_t h, std::int64_t w, std::int64_t channels) {
    return convolution(kernel, {size * h, size * w, channels, channels, h, w, 1, 0, 0, 0});
  };
  for (auto [h, w, channels, count] : {std::array{25, 5, 64, 16720}, {8, 8, 64, 9232}, {3, 3, 256, 13312}}) {
    const LoweredStep step = pool("tml_avg_pool2d_s8_dsp", 1, h, w, channels);
    CHECK(on(Target::cortex_m4, step) == Approx(count).epsilon(0.05));
  }
  LoweredStep largest = convolution("tml_max_pool2d_s8_dsp", {32, 32, 16, 16, 2, 2, 2, 0, 0, 0});
  CHECK(on(Target::cortex_m4, largest) == Approx(82796).epsilon(0.05));
}

TEST_CASE("what has no coefficient is not predicted", "[device]") {
  LoweredStep step;
  step.kernel = "tml_no_such_kernel";
  CHECK(!predicted_instructions(step, Target::cortex_m4));
  step.kernel = "tml_lut_s8";
  step.fields.push_back({"count", std::int64_t{1000}});
  CHECK(!predicted_instructions(step, Target::generic));
  CHECK(predicted_instructions(step, Target::cortex_m4).value() > 1000);
}

TEST_CASE("strided walks count rows, carries and aligned rows as the kernel does", "[device]") {
  LoweredStep step;
  step.kernel = "tml_copy";
  using List = std::vector<std::int64_t>;
  step.fields = {{"dims", List{1, 1, 1, 3, 5, 6}},
                 {"in_strides", List{0, 0, 0, 30, 6, 1}},
                 {"out_strides", List{0, 0, 0, 80, 16, 1}},
                 {"element_bytes", std::int64_t{1}}};
  std::map<std::string, double> terms;
  for (const CostTerm& term : cost_terms(step, Target::cortex_m4)) terms[std::string(term.name)] = term.times;
  CHECK(terms["copied_row"] == 15);
  // Inputs begin at 6 * (5 i + j), a multiple of 4 where 5 i + j is even: 8 of 15; outputs always.
  CHECK(terms["short_word"] == 8);
  CHECK(terms["moved"] == 7);
  CHECK(terms["short_byte"] == 8 * 2);
}

TEST_CASE("cycles are estimated for Cortex-M4 and M7 alone", "[device]") {
  const double m4 = estimated_cycles("tml_conv2d_s8_dsp", 1000, Target::cortex_m4).value();
  CHECK(m4 > 1000);
  CHECK(m4 < 2500);
  CHECK(estimated_cycles("tml_conv2d_s8_dsp", 1000, Target::cortex_m7).value() == Approx(0.6 * m4));
  CHECK(!estimated_cycles("tml_conv2d_s8_dsp", 1000, Target::cortex_m55));
  CHECK(!estimated_cycles("tml_no_such_kernel", 1000, Target::cortex_m4));
}
