// Codes and their packing. The order of a codebook is ascending; what is left of it repeats its last value, except that
// zero joins where there is room, because padded weights are zero.
#include "lib/device/pack_nibbles.h"

#include <algorithm>
#include <set>

#include "lib/device/overlap.h"

namespace tinyml {
namespace {

constexpr std::size_t kCodes = 16;
constexpr int kStep = 8, kLowest = -64, kHighest = 56;  // eight times int4

// fully_connected_w4 sums inputs (at most 2^7) times bytes (at most 2^7) that hold an odd channel's weights twice: with
// so few inputs no such sum leaves 32 bits, whatever the weights are. Codebooks are looked up and summed as int8 is.
bool sums_fit(const LoweredStep& step, const NibbleCode& code) {
  constexpr std::int64_t kInputs = std::int64_t{1} << 17U;
  return !code.is_int4() || step.kernel != "tml_fully_connected_s8" || field_value(step, "in_features") < kInputs;
}

}  // namespace

std::optional<NibbleCode> NibbleCode::of(std::span<const std::int8_t> weights) {
  NibbleCode result;
  std::set<std::int8_t> values;
  for (const std::int8_t w : weights) {
    values.insert(w);
    if (values.size() > kCodes) return std::nullopt;
  }
  if (std::all_of(values.begin(), values.end(), [](int w) { return w % kStep == 0 && w >= kLowest && w <= kHighest; }))
    return result;
  if (values.size() < kCodes) values.insert(0);
  result.table_.assign(values.begin(), values.end());
  result.table_.resize(kCodes, result.table_.back());
  return result;
}

std::optional<std::uint8_t> NibbleCode::code(std::int8_t weight) const {
  if (is_int4()) return static_cast<std::uint8_t>((weight - kLowest) / kStep);
  const auto at = std::find(table_.begin(), table_.end(), weight);
  if (at == table_.end()) return std::nullopt;
  return static_cast<std::uint8_t>(at - table_.begin());
}

NibblePacker::NibblePacker(const NibbleCode& code, std::size_t group) : code_(code) {
  bytes_ = {static_cast<std::uint8_t>(group), static_cast<std::uint8_t>(group >> 8U),
            static_cast<std::uint8_t>(code.is_int4() ? 0 : 1), 0};
  for (const std::int8_t value : code.table_) bytes_.push_back(static_cast<std::uint8_t>(value));
}

std::uint8_t NibblePacker::code(std::int8_t weight) {
  const std::optional<std::uint8_t> code = code_.code(weight);
  is_complete_ = is_complete_ && code;
  return code.value_or(0);
}

void NibblePacker::add_weights(std::span<const std::int8_t> weights) {
  const auto add = [&](std::int8_t low, std::optional<std::int8_t> high) {
    bytes_.push_back(static_cast<std::uint8_t>(code(low) | (high ? code(*high) << 4U : 0)));
  };
  for (; weights.size() >= 8; weights = weights.subspan(8))
    for (std::size_t i = 0; i < 4; ++i) add(weights[i], weights[i + 4]);
  for (std::size_t i = 0; i < weights.size(); i += 2)
    add(weights[i], i + 1 < weights.size() ? std::optional(weights[i + 1]) : std::nullopt);
}

void NibblePacker::add_bytes(std::span<const std::uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void NibblePacker::add_words(std::span<const std::uint32_t> words) {
  for (const std::uint32_t word : words)
    for (unsigned shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<std::uint8_t>(word >> shift));
}

std::vector<std::uint32_t> NibblePacker::words() const {
  std::vector<std::uint32_t> words((bytes_.size() + 3) / 4, 0);
  for (std::size_t i = 0; i < bytes_.size(); ++i) words[i / 4] |= std::uint32_t{bytes_[i]} << 8 * (i % 4);
  return words;
}

bool takes_nibbles(const LoweredStep& portable) {
  constexpr std::string_view kKernels[] = {"tml_conv2d_s8", "tml_depthwise_conv2d_s8", "tml_fully_connected_s8"};
  if (std::find(std::begin(kKernels), std::end(kKernels), portable.kernel) == std::end(kKernels)) return false;
  const auto weights = field_tensor(portable, "weights")->data<std::int8_t>();
  const std::optional<NibbleCode> code = NibbleCode::of(weights);
  if (!code || !sums_fit(portable, *code)) return false;
  // The kernels themselves take 300 to 900 bytes, so a codebook has to save some; int4 is what the user asked for.
  const std::size_t least = code->is_int4() ? 16 : 256;
  return weights.size() / 2 >= code->bytes() + least;
}

// Fitted to whole models under QEMU (kws01, gcc 12, -O2). Cores without unaligned loads spend most on single bytes.
double decoding_instructions(const NibbleCode& code, std::size_t weights, Target target) {
  const double each = target == Target::cortex_m0 ? 15.5 : target == Target::riscv32 ? 11.8 : 2.1;
  constexpr double kLookUp = 5;
  return 40 + (each + (code.is_int4() ? 0 : kLookUp)) * static_cast<double>(weights);
}

StepForm nibble_form(const LoweredStep& portable, const char* kernel, const NibblePacker& weights,
                     std::size_t scratch_bytes, bool goes_once) {
  StepForm form;
  form.step.kernel = kernel;
  form.step.operands = portable.operands;
  if (goes_once) form.step.overlaps = overlaps_of(portable);
  const auto& bytes = weights.bytes();
  for (const StepField& field : portable.fields)
    if (field.name != "weights") form.step.fields.push_back(field);
  form.step.fields.push_back(
      {"weights", Tensor::from<std::int8_t>({static_cast<std::int64_t>(bytes.size())},
                                            {reinterpret_cast<const std::int8_t*>(bytes.data()), bytes.size()})});
  form.scratch_bytes = scratch_bytes;
  return form;
}

}  // namespace tinyml
