// Packed weights: every form that a step with at most 16 distinct weights may take, on every kind of core, against the
// 64-bit reference of the same weights as int8; scratch as large as stated with guard bytes behind it, and the output
// over the input as far as the form says. The assembler forms are tested on the emulated cores
// (tests/firmware/kernels).
#include <catch2/catch.hpp>
#include <set>

#include "lib/device/kernels.h"
#include "lib/device/overlap.h"
#include "lib/device/pack_conv2d_w4.h"
#include "lib/device/pack_nibbles.h"
#include "lib/device/variants.h"
#include "tests/unit/runtime/conv_reference.h"

namespace tinyml::test {
namespace {

std::uint16_t u16(std::int64_t v) { return static_cast<std::uint16_t>(v); }

// Multiples of 8, or values of a codebook of up to `values` entries, zero among them or not.
Bytes few_values(Random& random, std::size_t count) {
  Bytes table;
  const int values = static_cast<int>(random.between(2, 16));
  const bool is_int4 = random.chance(50);
  for (int i = 0; i < values; ++i)
    table.push_back(static_cast<std::int8_t>(is_int4 ? 8 * random.between(-8, 7)
                                                     : random.pick({-127, 127, 0, int(random.between(-127, 127))})));
  Bytes weights(count);
  for (auto& w : weights) w = table[static_cast<std::size_t>(random.between(0, values - 1))];
  return weights;
}

// A parameter record in memory, from the fields of a form.
std::vector<std::max_align_t> record_of(const LoweredStep& step) {
  const KernelRecord& record = *find_kernel(step.kernel).record;
  std::vector<std::max_align_t> memory(record.size / sizeof(std::max_align_t) + 1);
  auto* bytes = reinterpret_cast<std::uint8_t*>(memory.data());
  std::memset(bytes, 0, memory.size() * sizeof(std::max_align_t));
  for (const StepField& field : step.fields) {
    const KernelField* described = record.find(field.name);
    REQUIRE(described != nullptr);
    if (const auto* value = std::get_if<std::int64_t>(&field.value)) {
      std::memcpy(bytes + described->offset, value, described->element_size);  // little endian
    } else {
      const std::byte* data = std::get<Tensor>(field.value).raw();
      std::memcpy(bytes + described->offset, &data, sizeof data);
    }
  }
  return memory;
}

Bytes run(const StepForm& form, const Bytes& x, std::size_t out_bytes, std::int64_t x_at, std::int64_t y_at) {
  Arena arena;
  const auto size = [](std::int64_t at, std::size_t bytes) { return static_cast<std::size_t>(at) + bytes; };
  Bytes both(std::max(size(x_at, x.size()), size(y_at, out_bytes)), 1);
  std::copy(x.begin(), x.end(), both.begin() + x_at);
  const std::uint32_t at = arena.add(both), scratch = arena.add_output(form.scratch_bytes);
  const std::uint32_t y = at + static_cast<std::uint32_t>(y_at);
  const std::uint32_t operands[] = {at + static_cast<std::uint32_t>(x_at), y, scratch};
  const auto record = record_of(form.step);
  REQUIRE(arena.run_with(find_kernel(form.step.kernel).function, record.data(), operands) == TML_OK);
  REQUIRE(arena.guards_intact());
  return arena.read(y, out_bytes);
}

void check_forms(const LoweredStep& step, const Bytes& x, const Bytes& expected, std::set<std::string>& seen) {
  if (!takes_nibbles(step)) return;
  for (const Target target : {Target::generic, Target::cortex_m4, Target::cortex_m55})
    for (const StepForm& form : step_forms(step, target)) {
      seen.insert(form.step.kernel);
      CAPTURE(form.step.kernel, form.scratch_bytes);
      CHECK(form.step.kernel.find("w4") != std::string::npos);
      REQUIRE(run(form, x, expected.size(), 0, static_cast<std::int64_t>(x.size() + 31) / 16 * 16) == expected);
      for (const StepOverlap& overlap : overlaps_of(form.step)) {
        const std::int64_t d = overlap.distance.value_or(0);
        REQUIRE(run(form, x, expected.size(), std::max<std::int64_t>(d, 0), std::max<std::int64_t>(-d, 0)) == expected);
      }
    }
}

void add_constants(LoweredStep& step, const ConvCase& k, const Dims& weights) {
  const auto count = static_cast<std::int64_t>(k.bias.size());
  step.fields.push_back({"weights", Tensor::from<std::int8_t>(weights, k.weights)});
  step.fields.push_back({"bias", Tensor::from<std::int32_t>({count}, k.bias)});
  step.fields.push_back({"multipliers", Tensor::from<std::int32_t>({count}, k.multipliers)});
  step.fields.push_back({"multiplier_step", std::int64_t{k.p.multiplier_step}});
  step.fields.push_back({"shift", std::int64_t{k.out.shift}});
  step.fields.push_back({"in_zero", std::int64_t{k.p.in_zero}});
  step.fields.push_back({"out_zero", std::int64_t{k.out.zero}});
  step.fields.push_back({"clamp_min", std::int64_t{k.out.low}});
  step.fields.push_back({"clamp_max", std::int64_t{k.out.high}});
  step.operands = {{StepOperand::Kind::input, 0}, {StepOperand::Kind::output, 0}};
}

struct Shape {
  int in_h, in_w, in_c, out_c, groups, kernel, stride, dilation, pad, batches;
  int extent(int in) const { return (in + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1; }
  bool exists() const { return std::min(in_h, in_w) + 2 * pad > (kernel - 1) * dilation; }
};

ConvCase make_case(Random& random, const Shape& s) {
  ConvCase k;
  auto& p = k.p;
  p.batches = u16(s.batches), p.in_h = u16(s.in_h), p.in_w = u16(s.in_w), p.in_c = u16(s.in_c), p.out_c = u16(s.out_c);
  p.out_h = u16(s.extent(s.in_h)), p.out_w = u16(s.extent(s.in_w)), p.groups = u16(s.groups);
  p.kernel_h = p.kernel_w = u16(s.kernel), p.stride_h = p.stride_w = u16(s.stride);
  p.dilation_h = p.dilation_w = u16(s.dilation), p.pad_top = p.pad_left = u16(s.pad);
  p.multiplier_step = random.chance(70) ? 1 : 0;
  p.in_zero = random.zero();
  const int taps = s.kernel * s.kernel * s.in_c / s.groups;
  k.out = random_output(random, random.chance(20) ? 3 : 0);
  k.x = random.bytes(static_cast<std::size_t>(s.batches * s.in_h * s.in_w * s.in_c));
  k.weights = few_values(random, static_cast<std::size_t>(taps * s.out_c));
  for (int c = 0; c < s.out_c; ++c) {
    k.bias.push_back(static_cast<std::int32_t>(random.between(-200000, 200000)));
    k.multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * std::sqrt(taps), k.out.shift));
  }
  if (k.out.shift == 0 && random.chance(50)) shorten(random, k.multipliers, k.bias);
  k.link();
  return k;
}

LoweredStep conv_step(const ConvCase& k, const char* kernel, const Dims& weights) {
  LoweredStep step;
  step.kernel = kernel;
  const auto& p = k.p;
  const std::pair<const char*, int> fields[] = {{"batches", p.batches},
                                                {"in_h", p.in_h},
                                                {"in_w", p.in_w},
                                                {"in_c", p.in_c},
                                                {"out_h", p.out_h},
                                                {"out_w", p.out_w},
                                                {"out_c", p.out_c},
                                                {"groups", p.groups},
                                                {"kernel_h", p.kernel_h},
                                                {"kernel_w", p.kernel_w},
                                                {"stride_h", p.stride_h},
                                                {"stride_w", p.stride_w},
                                                {"dilation_h", p.dilation_h},
                                                {"dilation_w", p.dilation_w},
                                                {"pad_top", p.pad_top},
                                                {"pad_left", p.pad_left}};
  for (const auto& [name, value] : fields) step.fields.push_back({name, std::int64_t{value}});
  add_constants(step, k, weights);
  return step;
}

void check_conv(Random& random, const Shape& s, std::set<std::string>& seen) {
  if (!s.exists()) return;
  const ConvCase k = make_case(random, s);
  CAPTURE(s.in_h, s.in_w, s.in_c, s.out_c, s.groups, s.kernel, s.stride, s.dilation, s.pad);
  const bool is_depthwise = s.groups == s.in_c && s.groups > 1;
  const Dims weights =
      is_depthwise ? Dims{s.kernel, s.kernel, s.out_c} : Dims{s.out_c, s.kernel, s.kernel, s.in_c / s.groups};
  const auto step = conv_step(k, is_depthwise ? "tml_depthwise_conv2d_s8" : "tml_conv2d_s8", weights);
  check_forms(step, k.x, is_depthwise ? depthwise_reference(k) : conv2d_reference(k), seen);
}

}  // namespace

TEST_CASE("convolutions with packed weights equal the reference", "[device][nibbles]") {
  Random random(51);
  std::set<std::string> seen;
  for (const int out_c : {1, 2, 3, 8, 13, 64})
    for (const int in_c : {1, 3, 8, 17, 64})
      for (const auto& [kernel, pad] : {std::pair{1, 0}, {3, 1}, {2, 0}})
        check_conv(random, {5, 6, in_c, out_c, 1, kernel, random.pick({1, 2}), 1, pad, 1}, seen);
  for (int i = 0; i < 300; ++i)
    check_conv(random,
               {int(random.between(1, 8)), int(random.between(1, 8)), random.pick({1, 4, 9, 16, 40}),
                random.pick({1, 2, 6, 7, 12}), 1, int(random.between(1, 4)), int(random.between(1, 3)),
                random.pick({1, 1, 2}), int(random.between(0, 2)), random.pick({1, 1, 2})},
               seen);
  check_conv(random, {3, 3, 96, 110, 1, 3, 1, 1, 1, 1}, seen);  // several groups in every form
  check_conv(random, {4, 4, 16, 24, 4, 3, 1, 1, 1, 1}, seen);
  CHECK(seen ==
        std::set<std::string>{"tml_conv2d_short_w4_dsp", "tml_conv2d_w4", "tml_conv2d_w4_dsp", "tml_conv2d_w4_mve"});
}

TEST_CASE("depthwise convolutions with packed weights equal the reference", "[device][nibbles]") {
  Random random(52);
  std::set<std::string> seen;
  for (const int channels : {8, 9, 16, 33, 64})
    for (int i = 0; i < 12; ++i) {
      const int ratio = random.chance(15) ? 2 : 1;
      check_conv(random,
                 {int(random.between(3, 9)), int(random.between(3, 9)), channels, channels * ratio, channels,
                  random.pick({3, 3, 3, 2, 5}), random.pick({1, 2}), 1, random.pick({0, 1}), random.pick({1, 1, 2})},
                 seen);
    }
  CHECK(seen == std::set<std::string>{"tml_depthwise3x3_stride2_w4_dsp", "tml_depthwise3x3_w4_dsp",
                                      "tml_depthwise_conv2d_w4", "tml_depthwise_conv2d_w4_mve"});
}

TEST_CASE("fully connected layers with packed weights equal the reference", "[device][nibbles]") {
  Random random(53);
  std::set<std::string> seen;
  for (const int features : {1, 3, 4, 8, 16, 33, 64, 72, 130, 640})
    for (const int outputs : {1, 2, 3, 4, 5, 8, 10, 31}) {
      const int rows = random.pick({1, 1, 2, 5});
      const ConvCase k = make_case(random, {1, 1, features, outputs, 1, 1, 1, 1, 0, rows});
      LoweredStep step;
      step.kernel = "tml_fully_connected_s8";
      step.fields = {{"rows", std::int64_t{rows}},
                     {"in_features", std::int64_t{features}},
                     {"out_features", std::int64_t{outputs}}};
      add_constants(step, k, {outputs, features});
      CAPTURE(features, outputs, rows);
      check_forms(step, k.x, conv2d_reference(k), seen);
    }
  CHECK(seen ==
        std::set<std::string>{"tml_fully_connected_w4", "tml_fully_connected_w4_dsp", "tml_fully_connected_w4_mve"});
}

// fully_connected_w4 holds an odd channel's sum twice: -64 * 127 * 131,072 * 2 does not fit 32 bits, the sum itself
// does.
TEST_CASE("fully connected layers of int4 weights hold every sum in 32 bits", "[device][nibbles]") {
  for (const std::int64_t features : {(std::int64_t{1} << 17) - 1, std::int64_t{1} << 17, std::int64_t{160000}})
    for (const int x : {-128, 127}) {
      const auto count = static_cast<std::size_t>(features);
      Bytes weights(2 * count, 56);
      std::fill(weights.begin() + static_cast<std::ptrdiff_t>(count), weights.end(), static_cast<std::int8_t>(-64));
      LoweredStep step;
      step.kernel = "tml_fully_connected_s8";
      step.operands = {{StepOperand::Kind::input, 0}, {StepOperand::Kind::output, 0}};
      step.fields = {{"rows", std::int64_t{1}},
                     {"in_features", features},
                     {"out_features", std::int64_t{2}},
                     {"weights", Tensor::from<std::int8_t>({2, features}, weights)},
                     {"bias", Tensor::from<std::int32_t>({2}, std::vector<std::int32_t>{1000, -1000})},
                     {"multipliers", Tensor::from<std::int32_t>({1}, std::vector<std::int32_t>{300})},
                     {"clamp_min", std::int64_t{-128}},
                     {"clamp_max", std::int64_t{127}}};
      const Output out;
      const Bytes expected{requantize(56 * x * features + 1000, 300, out),
                           requantize(-64 * x * features - 1000, 300, out)};
      CAPTURE(features, x);
      CHECK(takes_nibbles(step) == (features < std::int64_t{1} << 17));
      for (const Target target : {Target::generic, Target::cortex_m4, Target::cortex_m55}) {
        const std::vector<StepForm> forms = step_forms(step, target);
        REQUIRE(!forms.empty());
        for (const StepForm& form : forms)
          CHECK(run(form, Bytes(count, static_cast<std::int8_t>(x)), 2, 0, features + 32) == expected);
      }
    }
}

TEST_CASE("weights are packed where they have few values and bytes are saved", "[device][nibbles]") {
  const auto takes = [](const char* kernel, std::size_t count, int values, int step) {
    std::vector<std::int8_t> weights(count);
    for (std::size_t i = 0; i < count; ++i)
      weights[i] = static_cast<std::int8_t>((static_cast<int>(i) % values - values / 2) * step);
    LoweredStep lowered;
    lowered.kernel = kernel;
    lowered.fields = {{"weights", Tensor::from<std::int8_t>({static_cast<std::int64_t>(count)}, weights)}};
    return takes_nibbles(lowered);
  };
  CHECK(takes("tml_conv2d_s8", 72, 15, 8));
  CHECK_FALSE(takes("tml_conv2d_s8", 30, 15, 8));
  CHECK(takes("tml_depthwise_conv2d_s8", 72, 15, 8));
  CHECK(takes("tml_fully_connected_s8", 72, 15, 8));
  CHECK_FALSE(takes("tml_conv_transpose2d_s8", 1000, 15, 16));
  CHECK(takes("tml_conv2d_s8", 1000, 16, 7));  // a codebook
  CHECK_FALSE(takes("tml_conv2d_s8", 1000, 17, 7));
  CHECK_FALSE(takes("tml_conv2d_s8", 400, 16, 7));
}

TEST_CASE("groups of channels share the budget evenly", "[device][nibbles]") {
  CHECK(nibble_group(64, 2, 72, 8192) == 64);    // 4,608 bytes
  CHECK(nibble_group(256, 2, 264, 8192) == 30);  // 31 would fit: 9 groups of 15 blocks
  CHECK(nibble_group(128, 4, 136, 8192) == 44);  // 60 would fit: 3 groups of 11 blocks
  CHECK(nibble_group(7, 4, 100, 10) == 4);       // one block at least
  CHECK(nibble_group(3, 4, 100, 10) == 3);
}

TEST_CASE("codes are two to a byte, chunks of eight in two halves", "[device][nibbles]") {
  const std::int8_t weights[] = {-56, -48, -40, -32, -24, -16, -8, 0, 8, 16, 56};
  const auto code = NibbleCode::of(weights);
  REQUIRE(code);
  CHECK(code->is_int4());
  NibblePacker packer(*code, 260);
  packer.add_weights(weights);
  // -56 / 8 + 8 = 1 and so on: low nibbles 1 2 3 4, high ones 5 6 7 8; then 9 and 10, then 15.
  CHECK(packer.bytes() == std::vector<std::uint8_t>{4, 1, 0, 0, 0x51, 0x62, 0x73, 0x84, 0xA9, 0x0F});
  const std::int8_t others[] = {5, -3, 5};
  const auto book = NibbleCode::of(others);
  NibblePacker second(*book, 0);
  second.add_weights(others);
  REQUIRE(second.bytes().size() == 4 + 16 + 2);
  CHECK(second.bytes()[2] == 1);
  CHECK(std::vector<std::uint8_t>(second.bytes().begin() + 4, second.bytes().begin() + 8) ==
        std::vector<std::uint8_t>{0xFD, 0, 5, 5});  // zero joined
  CHECK(second.bytes()[20] == 0x02);
  CHECK(second.bytes()[21] == 0x02);
}

}  // namespace tinyml::test
