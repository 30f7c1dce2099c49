// Kernels compiled for a layer's shape, by form: instructions per term, and bytes of code per part, per core. Least
// squares over random networks emitted with --specialize all: counts under QEMU (scripts/cost_model.sh --laps), bytes
// in object files of gcc 12.2 -O2 (scripts/fixed_sizes.sh compares). The columns are the cores m0, m3, m4, m55, riscv.
#include <array>

#include "lib/device/cost.h"

namespace tinyml {
namespace {

constexpr auto kInstructions = std::to_array<CostCoefficient>({
    // clang-format off
    {"tml_conv2d_s8/point", "asm_block", 0, 24.903, 24.572, 25.156, 0},
    {"tml_conv2d_s8/point", "asm_call", 0, 14.583, 13.553, 13.48, 0},
    {"tml_conv2d_s8/point", "asm_eight", 0, 66.143, 66.292, 66.041, 0},
    {"tml_conv2d_s8/point", "asm_run", 0, 24.903, 24.572, 25.156, 0},
    {"tml_conv2d_s8/point", "asm_tap", 0, 10.142, 10.118, 10.143, 0},
    {"tml_conv2d_s8/point", "call", 0, 0, 0, 0, 0},
    {"tml_conv2d_s8/point", "dot", 916.87, 39.791, 80.422, 45.072, 0},
    {"tml_conv2d_s8/point", "dot_block", 0, 0, 0, 0, 327.83},
    {"tml_conv2d_s8/point", "dot_four", 0, 47.597, 49.359, 47.817, 0},
    {"tml_conv2d_s8/point", "dot_out", 0, 0, 0, 0, 81.957},
    {"tml_conv2d_s8/point", "dot_tap", 28.958, 10.583, 4.8976, 9.1869, 0},
    {"tml_conv2d_s8/point", "pair_block", 152.8, 27.885, 31.913, 25.26, 16.05},
    {"tml_conv2d_s8/point", "pair_run", 152.8, 27.885, 31.913, 25.26, 16.05},
    {"tml_conv2d_s8/point", "pair_tap", 22.176, 10.044, 9.8181, 9.2673, 15.703},
    {"tml_conv2d_s8/point", "two_pixels", 10.126, 14.583, 13.553, 13.48, 0},
    {"tml_conv2d_s8/short_point", "asm_block", 0, 25.431, 25.442, 25.549, 0},
    {"tml_conv2d_s8/short_point", "asm_call", 0, 12.47, 11.998, 11.479, 0},
    {"tml_conv2d_s8/short_point", "asm_eight", 0, 66.143, 66.059, 66.021, 0},
    {"tml_conv2d_s8/short_point", "asm_run", 0, 25.431, 25.442, 25.549, 0},
    {"tml_conv2d_s8/short_point", "asm_tap", 0, 10.001, 9.9997, 9.9948, 0},
    {"tml_conv2d_s8/short_point", "call", 0, 24.07, 22.09, 23.841, 11.642},
    {"tml_conv2d_s8/short_point", "dot", 0, 438.13, 309.18, 93.365, 873.91},
    {"tml_conv2d_s8/short_point", "dot_block", 386.97, 61.714, 70.012, 74.181, 0},
    {"tml_conv2d_s8/short_point", "dot_four", 0, 5.5541, 5.3244, 6.211, 0},
    {"tml_conv2d_s8/short_point", "dot_out", 96.742, 15.429, 17.503, 18.545, 0},
    {"tml_conv2d_s8/short_point", "dot_tap", 0, 6.0114, 0.71325, 4.8626, 13.636},
    {"tml_conv2d_s8/short_point", "pair_block", 138.44, 28.667, 26.69, 29.892, 27.369},
    {"tml_conv2d_s8/short_point", "pair_run", 138.44, 28.667, 26.69, 29.892, 27.369},
    {"tml_conv2d_s8/short_point", "pair_tap", 26.981, 10.105, 10.273, 9.2665, 15.108},
    {"tml_conv2d_s8/short_point", "two_pixels", 0, 12.47, 11.998, 11.479, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "band", 0, 0, 97.486, 130.21, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "call", 0, 0, 330.8, 376.12, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "channel", 0, 0, 17.634, 7.5698, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "filled", 0, 0, 0, 0, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "kept", 0, 0, 1.7727, 2.0567, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "loops", 0, 0, 1.0396, 1.0393, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "pair", 0, 0, 18.707, 18.706, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "single", 0, 0, 32.059, 30.546, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "band", 0, 0, 0, 0, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "call", 0, 0, 875.9, 843.65, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "channel", 0, 0, 0, 0, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "filled", 0, 0, 8.8464, 12.801, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "kept", 0, 0, 3.037, 3.4969, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "loops", 0, 0, 1.1644, 1.175, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "pair", 0, 0, 16.906, 15.587, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "single", 0, 0, 15.722, 14.739, 0},
    // clang-format on
});

constexpr auto kBytes = std::to_array<CostCoefficient>({
    // clang-format off
    {"tml_conv2d_s8", "kernel", 3652, 4308, 4332, 4380, 3948},
    {"tml_conv2d_s8/shared", "shared", 0, 516, 516, 516, 0},
    {"tml_depthwise_conv2d_s8", "kernel", 2312, 2768, 2752, 2836, 2200},
    {"tml_depthwise_conv2d_s8/shared", "shared", 0, 448, 448, 448, 0},
    {"tml_depthwise3x3_s8_dsp", "kernel", 0, 0, 496, 496, 0},
    {"tml_depthwise3x3_s8_dsp/shared", "shared", 0, 0, 470, 470, 0},
    {"tml_depthwise3x3_stride2_s8_dsp", "kernel", 0, 0, 452, 452, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/shared", "shared", 0, 0, 428, 428, 0},
    {"depthwise_dsp", "kernel", 0, 0, 1344, 1356, 0},
    {"tml_conv2d_s8/point", "function", 403, 129, 208, 199, 375},
    {"tml_conv2d_s8/point", "odd", 210, 417, 208, 199, 210},
    {"tml_conv2d_s8/short_point", "function", 425, 127, 97, 108, 370},
    {"tml_conv2d_s8/short_point", "odd", 237, 397, 0, 0, 216},
    {"tml_depthwise3x3_s8_dsp/fixed", "function", 0, 0, 548, 545, 0},
    {"tml_depthwise3x3_s8_dsp/fixed", "odd", 0, 0, -41, -35, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "function", 0, 0, 560, 563, 0},
    {"tml_depthwise3x3_stride2_s8_dsp/fixed", "odd", 0, 0, -31, -38, 0},
    {"tml_depthwise_conv2d_s8/3x3", "function", 707, 368, 0, 0, 682},
    {"tml_depthwise_conv2d_s8/3x3", "padded", 707, 368, 0, 0, 682},
    // clang-format on
});

}  // namespace

std::span<const CostCoefficient> fixed_coefficients() { return kInstructions; }
std::span<const CostCoefficient> fixed_bytes() { return kBytes; }

}  // namespace tinyml
