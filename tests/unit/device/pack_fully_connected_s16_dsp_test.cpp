// The packed form of a 16-bit fully connected layer for cores with the DSP extension, in its plain C form, against sums
// in 128 bits. The assembler is tested on the emulated core (tests/firmware/kernels/fully_connected_s16_dsp.c).
#include "lib/device/pack_fully_connected_s16_dsp.h"

#include <catch2/catch.hpp>

#include "tests/unit/runtime/s16_reference.h"

namespace tinyml::test {
namespace {

ConvCase16 make_case(Random& random, int rows, int in, int out) {
  ConvCase16 k;
  k.p.batches = k.p.groups = k.p.in_h = k.p.out_h = 1;
  k.p.kernel_h = k.p.kernel_w = k.p.stride_h = k.p.stride_w = k.p.dilation_h = k.p.dilation_w = 1;
  k.p.in_w = k.p.out_w = static_cast<std::uint16_t>(rows);
  k.p.in_c = static_cast<std::uint16_t>(in), k.p.out_c = static_cast<std::uint16_t>(out);
  k.p.multiplier_step = random.chance(70) ? 1 : 0;
  k.clamp = random_clamp16(random);
  k.x = random_halfwords(random, static_cast<std::size_t>(rows * in));
  const int most = std::min(127, 60000 / in);  // so that no sum leaves 32 bits
  k.weights = random.bytes(static_cast<std::size_t>(in * out), -most, most);
  for (int c = 0; c < out; ++c) {
    k.bias.push_back(static_cast<std::int32_t>(random.between(-100000000, 100000000)));
    k.multipliers.push_back(static_cast<std::int32_t>(random.between(1, 1 << 24)));
  }
  k.link();
  return k;
}

LoweredStep step_of(const ConvCase16& k) {
  const tml_conv2d_s16_params& p = k.p;
  LoweredStep step;
  step.kernel = "tml_conv2d_s16";
  const auto count = static_cast<std::int64_t>(k.bias.size());
  step.fields = {{"weights", Tensor::from<std::int8_t>({count, p.in_c}, k.weights)},
                 {"bias", Tensor::from<std::int32_t>({count}, k.bias)},
                 {"multipliers", Tensor::from<std::int32_t>({count}, k.multipliers)}};
  for (const auto& [name, value] :
       std::initializer_list<std::pair<const char*, std::int64_t>>{{"batches", p.batches},
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
                                                                   {"clamp_min", p.clamp_min},
                                                                   {"clamp_max", p.clamp_max},
                                                                   {"multiplier_step", p.multiplier_step}})
    step.fields.push_back({name, value});
  return step;
}

void check(const ConvCase16& k) {
  const auto form = fully_connected_s16_dsp_form(step_of(k), Target::cortex_m4);
  REQUIRE(form);
  const Tensor* stream = field_tensor(form->step, "stream");
  tml_fully_connected_s16_dsp_params p{};
  p.stream = stream->data<std::uint32_t>().data();
  p.rows = static_cast<std::uint32_t>(field_value(form->step, "rows"));
  p.in_features = static_cast<std::uint32_t>(field_value(form->step, "in_features"));
  p.out_features = static_cast<std::uint32_t>(field_value(form->step, "out_features"));
  p.clamp_min = static_cast<std::int16_t>(field_value(form->step, "clamp_min"));
  p.clamp_max = static_cast<std::int16_t>(field_value(form->step, "clamp_max"));
  Arena arena;
  add_halfwords(arena, k.x);
  const auto y = arena.add_output(2 * k.out_size());
  arena.add_output(form->scratch_bytes);
  CAPTURE(p.rows, p.in_features, p.out_features);
  REQUIRE((form->scratch_bytes > 0) == (p.in_features % 4 != 0));
  REQUIRE(arena.run(tml_fully_connected_s16_dsp, &p) == TML_OK);
  REQUIRE(read_halfwords(arena, y, k.out_size()) == conv_reference16(k, false));
  REQUIRE(arena.guards_intact());
}

const StepForm& chosen(const std::vector<StepForm>& forms) { return forms[choose_form(forms, Optimize::speed)]; }

}  // namespace

TEST_CASE("fully connected layers of 16 bits with SMLAD equal wide sums", "[device][dsp]") {
  Random random(91);
  for (const int in : {1, 2, 3, 4, 5, 8, 15, 16, 17, 64, 255, 640})
    for (const int out : {1, 2, 3, 4, 5, 8, 11}) check(make_case(random, 1, in, out));
  for (int i = 0; i < 500; ++i)
    check(make_case(random, static_cast<int>(random.between(1, 3)), static_cast<int>(random.between(1, 99)),
                    static_cast<int>(random.between(1, 12))));
}

TEST_CASE("rows of 16-bit features are multiplied one by one or by three, whichever takes fewer instructions",
          "[device][dsp]") {
  Random random(92);
  const auto forms = [&](int rows) {
    return step_forms(step_of(make_case(random, rows, 640, 128)), Target::cortex_m4);
  };
  CHECK(chosen(forms(1)).step.kernel == "tml_fully_connected_s16_dsp");
  CHECK(chosen(forms(3)).step.kernel == "tml_conv2d_s16_dsp");
  LoweredStep strided = step_of(make_case(random, 1, 8, 8));
  for (StepField& field : strided.fields)
    if (field.name == "in_w") field.value = std::int64_t{2};
  CHECK(!fully_connected_s16_dsp_form(strided, Target::cortex_m4));
}

TEST_CASE("predicted instructions of 16-bit fully connected layers are within 5% of what QEMU counts",
          "[device][dsp]") {
  // scripts/kernel_tests.sh --layers fully_connected_s16_dsp (gcc 12.2, -O2, QEMU 7.2).
  Random random(93);
  for (const auto& [in, out, count] : {std::array{640, 64, 50384}, {128, 128, 20784}, {128, 8, 1404}, {8, 128, 2096}}) {
    ConvCase16 k = make_case(random, 1, in, out);
    k.clamp = {0, 32767};
    k.link();
    CHECK(fully_connected_s16_dsp_form(step_of(k), Target::cortex_m4)->instructions.value() ==
          Approx(count).epsilon(0.05));
  }
}

}  // namespace tinyml::test
