// The loops of the portable kernels that a formula describes; convolutions have a file of their own.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "lib/device/cost.h"
#include "lib/device/variants.h"

namespace tinyml {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }

using List = std::vector<std::int64_t>;

const List& list(const LoweredStep& step, std::string_view name) {
  static const List kNone;
  for (const StepField& field : step.fields)
    if (field.name == name)
      if (const auto* values = std::get_if<List>(&field.value)) return *values;
  return kNone;
}

double product(const List& values) {
  double result = 1;
  for (const std::int64_t value : values) result *= real(value);
  return result;
}

bool is_constant(const LoweredStep& step, std::string_view name) {
  const Tensor* tensor = nullptr;
  for (const StepField& field : step.fields)
    if (field.name == name) tensor = std::get_if<Tensor>(&field.value);
  return tensor != nullptr;
}

void add_shifted(TermSum& sum, const LoweredStep& step, double outputs) {
  if (field_value(step, "shift") != 0) sum.add("shifted", outputs);
}

void add_terms(TermSum& sum, const LoweredStep& step, Target) {
  const StridedWalk w = strided_walk(step, "a_strides", "b_strides");
  const bool dense =
      w.a_step == 1 && w.b_step == 1 && field_value(step, "clamp_min") == -128 && field_value(step, "clamp_max") == 127;
  const double fours = dense ? static_cast<double>(static_cast<std::int64_t>(w.row) / 4) : 0;
  sum.add(dense ? "dense_row" : "row", w.rows);
  sum.add("carry", w.carries);
  sum.add("four", w.rows * fours);
  if (dense && 4 * fours < w.row) sum.add("rest", w.rows);
  sum.add("element", w.rows * (w.row - 4 * fours));
}

void binary_terms(TermSum& sum, const LoweredStep& step, Target) {
  const StridedWalk w = strided_walk(step, "a_strides", "b_strides");
  sum.add("row", w.rows);
  sum.add("carry", w.carries);
  sum.add("element", w.rows * w.row);
  if (step.kernel.starts_with("tml_mul_")) add_shifted(sum, step, w.rows * w.row);
}

double fours_in(double elements) { return static_cast<double>(static_cast<std::int64_t>(elements) / 4); }

// add and mul for the DSP extension (binary_dsp.h)
void pair_terms(TermSum& sum, const LoweredStep& step, Target) {
  const StridedWalk w = strided_walk(step, "a_strides", "b_strides");
  const double fours = fours_in(w.row), rest = w.row - 4 * fours;
  sum.add("carry", w.rows / w.last_outer);
  sum.add("row", w.rows);
  if (w.a_step == 0 || w.b_step == 0) sum.add("one", w.rows);
  sum.add("four", w.rows * fours);
  if (rest > 0) sum.add("rest", w.rows);
  sum.add("element", w.rows * rest);
  if (field_value(step, "clamp_min") != -128 || field_value(step, "clamp_max") != 127)
    sum.add("clamped", w.rows * w.row);
}

void lut_dsp_terms(TermSum& sum, const LoweredStep& step, Target) {
  const double count = real(field_value(step, "count")), fours = fours_in(count);
  sum.add("four", fours);
  sum.add("element", count - 4 * fours);
}

void softmax_dsp_terms(TermSum& sum, const LoweredStep& step, Target) {
  const double rows = real(field_value(step, "outer")), depth = real(field_value(step, "depth")),
               fours = fours_in(depth);
  sum.add("row", rows);
  sum.add("four", rows * fours);
  sum.add("element", rows * (depth - 4 * fours));
}

void lut_terms(TermSum& sum, const LoweredStep& step, Target) { sum.add("element", real(field_value(step, "count"))); }

void sum_terms(TermSum& sum, const LoweredStep& step, Target) {
  const double count = real(field_value(step, "count"));
  sum.add("element", count);
  sum.add("operand", count * real(field_value(step, "inputs")));
}

void prelu_terms(TermSum& sum, const LoweredStep& step, Target) {
  lut_terms(sum, step, {});
  add_shifted(sum, step, real(field_value(step, "count")));
}

// softmax, log_softmax and argmax
void row_terms(TermSum& sum, const LoweredStep& step, Target) {
  const double rows = real(field_value(step, "outer")) * real(field_value(step, "inner"));
  sum.add("row", rows);
  sum.add("element", rows * real(field_value(step, "depth")));
}

void fully_connected_terms(TermSum& sum, const LoweredStep& step, Target target) {
  const std::int64_t rows = field_value(step, "rows");
  add_dot_channels(sum, field_value(step, "in_features"), field_value(step, "out_features"), field_value(step, "shift"),
                   target, real(rows));
}

void matmul_terms(TermSum& sum, const LoweredStep& step, Target) {
  const double rows = real(field_value(step, "batches")) * real(field_value(step, "m"));
  const std::int64_t n = field_value(step, "n"), columns = n < 4 ? 1 : 4;
  const double blocks = rows * real((n + columns - 1) / columns);
  sum.add("row", rows);
  sum.add("block", blocks);
  sum.add("tap", blocks * real(field_value(step, "k")));
  sum.add("out", blocks * real(columns));
  add_shifted(sum, step, blocks * real(columns));
}

// Taps inside of the input, summed over an axis; rows and columns of a window are independent.
double taps_inside(const LoweredStep& step, bool is_height) {
  const auto value = [&](const char* h, const char* w) { return field_value(step, is_height ? h : w); };
  const std::int64_t in = value("in_h", "in_w"), out = value("out_h", "out_w"), kernel = value("kernel_h", "kernel_w"),
                     stride = value("stride_h", "stride_w"), dilation = value("dilation_h", "dilation_w"),
                     pad = value("pad_top", "pad_left");
  double sum = 0;
  for (std::int64_t at = 0; at < out; ++at)
    for (std::int64_t tap = 0; tap < kernel; ++tap) {
      const std::int64_t position = at * stride - pad + tap * dilation;
      sum += position >= 0 && position < in;
    }
  return sum;
}

void pool_terms(TermSum& sum, const LoweredStep& step, Target) {
  const double batches = real(field_value(step, "batches")), channels = real(field_value(step, "channels"));
  const double out_w = real(field_value(step, "out_w"));
  const double pixels = batches * real(field_value(step, "out_h")) * out_w;
  const double rows = batches * taps_inside(step, true), taps = rows * taps_inside(step, false);
  sum.add("pixel", pixels);
  if (step.kernel.ends_with("_dsp") || step.kernel.ends_with("_mve")) {
    const double blocks = static_cast<double>((static_cast<std::int64_t>(channels) + 3) / 4);
    sum.add("block", pixels * blocks);
    sum.add("line", rows * out_w * blocks);
    sum.add("tap", taps * blocks);
    if (step.kernel == "tml_avg_pool2d_s8_dsp") add_shifted(sum, step, pixels * blocks * 4);
    return;
  }
  if (step.kernel == "tml_max_pool2d_s8") {
    sum.add("out", pixels * channels);
    sum.add("tap", taps);
    sum.add("element", taps * channels);
    if (field_value(step, "clamp_max") != 127) sum.add("clamped", pixels * channels);
    return;
  }
  const bool by_lanes = channels >= 4;
  const double blocks = by_lanes ? static_cast<double>((static_cast<std::int64_t>(channels) + 3) / 4) : channels;
  sum.add(by_lanes ? "block" : "single", pixels * blocks);
  sum.add(by_lanes ? "line" : "single_line", rows * out_w * blocks);
  sum.add(by_lanes ? "tap" : "single_tap", taps * blocks);
  add_shifted(sum, step, pixels * blocks * (by_lanes ? 4 : 1));
}

void reduce_terms(TermSum& sum, const LoweredStep& step, Target) {
  const List& reduced = list(step, "reduce_dims");
  const List& kept = list(step, "keep_dims");
  const double outputs = product(kept), all = product(reduced);
  sum.add("out", outputs);
  sum.add("run", outputs * (reduced.empty() || reduced.back() == 0 ? 0 : all / real(reduced.back())));
  if (reduced.size() == 4) sum.add("plane", outputs * real(reduced[0]) * real(reduced[1]));
  sum.add("kept_row", kept.empty() || kept.back() == 0 ? 0 : outputs / real(kept.back()));
  sum.add("element", outputs * all);
  if (step.kernel.starts_with("tml_reduce_sum_")) add_shifted(sum, step, outputs);
}

// Rows that begin at a multiple of four bytes on both sides: the offsets modulo four, axis by axis.
double aligned_rows(const LoweredStep& step, const StridedWalk& w) {
  const List &dims = list(step, "dims"), &a = list(step, "in_strides"), &b = list(step, "out_strides");
  std::array<double, 16> rows{};
  const auto at = [](std::int64_t from, std::int64_t to) {
    return static_cast<std::size_t>((from & 3) * 4 + (to & 3));
  };
  rows[at(field_value(step, "in_offset"), field_value(step, "out_offset"))] = 1;
  double left = w.rows;
  for (std::size_t axis = 0; axis < dims.size() && left > 1; left /= real(dims[axis]), ++axis) {
    std::array<double, 16> next{};
    for (std::int64_t k = 0; k < 4; ++k)
      for (std::int64_t i = 0; i < 16; ++i)
        next[at((i >> 2) + k * (a[axis] & 3), (i & 3) + k * (b[axis] & 3))] +=
            rows[static_cast<std::size_t>(i)] * real((dims[axis] + 3 - k) / 4);
    rows = next;
  }
  return rows[0];
}

// memcpy between addresses that are not both multiples of four.
void add_moves(TermSum& sum, std::int64_t bytes, double times) {
  sum.add("moved", times);
  sum.add("moved_line", times * real(bytes / 64));
  sum.add("moved_word", times * real(bytes % 64 / 4));
  sum.add("moved_byte", times * real(bytes % 4));
}

void copy_terms(TermSum& sum, const LoweredStep& step, Target) {
  const StridedWalk w = strided_walk(step, "in_strides", "out_strides");
  const std::int64_t bytes = field_value(step, "element_bytes");
  const bool dense = w.a_step == bytes && w.b_step == bytes && !is_constant(step, "table");
  sum.add(dense ? "copied_row" : "row", w.rows);
  sum.add("carry", w.carries);
  if (dense) {
    const double aligned = aligned_rows(step, w);
    add_copies(sum, static_cast<std::int64_t>(w.row) * bytes, aligned);
    add_moves(sum, static_cast<std::int64_t>(w.row) * bytes, w.rows - aligned);
  } else if (is_constant(step, "table")) {
    sum.add("looked_up", w.rows * w.row);
  } else {
    sum.add("element", w.rows * w.row);
    sum.add("element_byte", w.rows * w.row * real(bytes));
  }
}

void remap_terms(TermSum& sum, const LoweredStep& step, Target) {
  const List& dims = list(step, "out_dims");
  if (dims.empty()) return;
  double rows = 1, inside = 1, tables = 0;
  bool last = false;
  for (const StepField& field : step.fields) {
    const auto* indices = field.name == "index" ? std::get_if<std::vector<Tensor>>(&field.value) : nullptr;
    for (std::size_t i = 0; indices && i < indices->size() && i < dims.size(); ++i) {
      const std::span<const std::int16_t> index = (*indices)[i].size() == 0
                                                      ? std::span<const std::int16_t>()
                                                      : std::as_const((*indices)[i]).data<std::int16_t>();
      if (i + 1 == dims.size()) {
        last = !index.empty();
        continue;
      }
      const auto fills = std::count_if(index.begin(), index.end(), [](std::int16_t at) { return at < 0; });
      rows *= real(dims[i]);
      inside *= real(dims[i] - fills);
      tables += index.empty() ? 0 : 1;
    }
  }
  sum.add("row", rows);
  sum.add("table", rows * tables);
  sum.add("filled_row", rows - inside);
  sum.add("filled", (rows - inside) * real(dims.back()));
  if (last) {
    sum.add("indexed", inside * real(dims.back()));
    return;
  }
  const std::int64_t bytes = dims.back() * (step.kernel == "tml_remap_s16" ? 2 : 1);
  const double odd = step.kernel == "tml_remap_s16" ? 0.25 : 0.0625;  // of rows that begin anywhere
  const double aligned = inside * (bytes % 4 == 0 ? 1 : dims.back() % 2 == 0 ? 0.25 : odd);
  add_copies(sum, bytes, aligned);
  add_moves(sum, bytes, inside - aligned);
}

void gather_terms(TermSum& sum, const LoweredStep& step, Target) {
  const double rows = real(field_value(step, "outer")) * real(field_value(step, "count"));
  sum.add("row", rows);
  add_copies(sum, field_value(step, "inner"), rows);
}

void resize_terms(TermSum& sum, const LoweredStep& step, Target) {
  const double pixels =
      real(field_value(step, "batches")) * real(field_value(step, "out_h")) * real(field_value(step, "out_w"));
  sum.add("pixel", pixels);
  sum.add("element", pixels * real(field_value(step, "channels")));
}

struct KernelTerms {
  std::string_view kernel;
  void (*add)(TermSum& sum, const LoweredStep& step, Target target);
};

constexpr std::array kKernels{
    KernelTerms{"tml_add_s8", add_terms},
    KernelTerms{"tml_mul_s8", binary_terms},
    KernelTerms{"tml_div_s8", binary_terms},
    KernelTerms{"tml_pow_s8", binary_terms},
    KernelTerms{"tml_min_s8", binary_terms},
    KernelTerms{"tml_max_s8", binary_terms},
    KernelTerms{"tml_add_s16", binary_terms},
    KernelTerms{"tml_mul_s16", binary_terms},
    KernelTerms{"tml_min_s16", binary_terms},
    KernelTerms{"tml_max_s16", binary_terms},
    KernelTerms{"tml_rescale_s8_s16", prelu_terms},
    KernelTerms{"tml_rescale_s16_s8", prelu_terms},
    KernelTerms{"tml_rescale_s16", prelu_terms},
    KernelTerms{"tml_table_s16", lut_terms},
    KernelTerms{"tml_softmax_s16", row_terms},
    KernelTerms{"tml_argmax_s16", row_terms},
    KernelTerms{"tml_reduce_sum_s16", reduce_terms},
    KernelTerms{"tml_remap_s16", remap_terms},
    KernelTerms{"tml_lut_s8", lut_terms},
    KernelTerms{"tml_sum_s8", sum_terms},
    KernelTerms{"tml_prelu_s8", prelu_terms},
    KernelTerms{"tml_softmax_s8", row_terms},
    KernelTerms{"tml_add_s8_dsp", pair_terms},
    KernelTerms{"tml_mul_s8_dsp", pair_terms},
    KernelTerms{"tml_lut_s8_dsp", lut_dsp_terms},
    KernelTerms{"tml_softmax_s8_dsp", softmax_dsp_terms},
    KernelTerms{"tml_log_softmax_s8", row_terms},
    KernelTerms{"tml_argmax_s8", row_terms},
    KernelTerms{"tml_fully_connected_s8", fully_connected_terms},
    KernelTerms{"tml_matmul_s8", matmul_terms},
    KernelTerms{"tml_avg_pool2d_s8", pool_terms},
    KernelTerms{"tml_max_pool2d_s8", pool_terms},
    KernelTerms{"tml_avg_pool2d_s8_dsp", pool_terms},
    KernelTerms{"tml_avg_pool2d_s8_mve", pool_terms},
    KernelTerms{"tml_max_pool2d_s8_dsp", pool_terms},
    KernelTerms{"tml_reduce_sum_s8", reduce_terms},
    KernelTerms{"tml_reduce_max_s8", reduce_terms},
    KernelTerms{"tml_reduce_min_s8", reduce_terms},
    KernelTerms{"tml_copy", copy_terms},
    KernelTerms{"tml_remap_s8", remap_terms},
    KernelTerms{"tml_gather_s8", gather_terms},
    KernelTerms{"tml_resize_linear_s8", resize_terms},
};

// The kernel under whose name the table has another one's coefficients: they differ in a term.
std::string_view table_name(std::string_view kernel) {
  return kernel == "tml_conv2d_s8_dsp" ? "tml_conv2d_short_s8_dsp" : kernel;
}

}  // namespace

StridedWalk strided_walk(const LoweredStep& step, std::string_view a_name, std::string_view b_name) {
  const List &dims = list(step, "dims"), &a = list(step, a_name), &b = list(step, b_name);
  StridedWalk result;
  if (dims.empty() || a.size() != dims.size() || b.size() != dims.size()) return result;
  std::size_t inner = dims.size() - 1;
  while (inner > 0 && dims[inner] == 1) --inner;
  result.a_step = a[inner], result.b_step = b[inner], result.row = real(dims[inner]);
  const auto goes_on = [&](std::size_t i) {
    return dims[i] == 1 ||
           (real(a[i]) == real(result.a_step) * result.row && real(b[i]) == real(result.b_step) * result.row);
  };
  while (inner > 0 && goes_on(inner - 1)) result.row *= real(dims[--inner]);
  result.outer = inner;
  if (inner > 0) result.last_outer = real(dims[inner - 1]);
  for (std::size_t i = 0; i < inner; ++i) {
    result.carries += result.rows;  // axis i goes on, or is exhausted, so often
    result.rows *= real(dims[i]);
  }
  return result;
}

void TermSum::add(std::string_view name, double times) {
  for (CostTerm& term : terms_)
    if (term.name == name) {
      term.times += times;
      return;
    }
  terms_.push_back({name, times});
}

void add_copies(TermSum& sum, std::int64_t bytes, double times) {
  sum.add("copied_line", times * real(bytes / 64));
  sum.add(bytes < 16 ? "short_word" : "copied_word", times * real(bytes % 64 / 4));
  sum.add(bytes < 16 ? "short_byte" : "copied_byte", times * real(bytes % 4));
}

bool has_thumb2(Target target) {
  return target != Target::cortex_m0 && target != Target::riscv32 && target != Target::generic;
}

void add_dot_channels(TermSum& sum, std::int64_t stride, std::int64_t count, std::int64_t shift, Target target,
                      double times) {
  const std::int64_t outputs = count < 4 ? 1 : 4;
  const double blocks = times * real((count + outputs - 1) / outputs);
  const bool by_four = has_thumb2(target);
  sum.add("dot", times);
  sum.add("dot_block", blocks);
  if (by_four) sum.add("dot_four", blocks * real(stride / 4));
  sum.add("dot_tap", blocks * real(by_four ? stride % 4 : stride));
  sum.add("dot_out", blocks * real(outputs));
  if (shift != 0) sum.add("shifted", blocks * real(outputs));
}

std::vector<CostTerm> cost_terms(const LoweredStep& step, Target target) {
  if (step.kernel == "tml_conv2d_s8") return conv2d_terms(step, target);
  if (step.kernel == "tml_depthwise_conv2d_s8") return depthwise_terms(step, target);
  if (step.kernel == "tml_conv_transpose2d_s8") return conv_transpose_terms(step, target);
  const auto* known = std::find_if(kKernels.begin(), kKernels.end(), [&](auto& k) { return k.kernel == step.kernel; });
  if (known == kKernels.end()) return s16_terms(step, target);
  TermSum sum;
  sum.add("call", 1);
  known->add(sum, step, target);
  return sum.take();
}

double coefficient_on(const CostCoefficient& c, Target target) {
  switch (target) {
    case Target::cortex_m0:
      return c.m0;
    case Target::cortex_m3:
      return c.m3;
    case Target::cortex_m4:
    case Target::cortex_m7:
    case Target::cortex_m33:
      return c.m4;
    case Target::cortex_m55:
    case Target::cortex_m85:
      return c.m55;
    case Target::riscv32:
      return c.riscv;
    case Target::generic:
      break;
  }
  return 0;
}

static const CostCoefficient* find_fixed(std::string_view key, std::string_view term) {
  for (const CostCoefficient& c : fixed_coefficients())
    if (c.kernel == key && c.term == term) return &c;
  return nullptr;
}

std::optional<double> predicted_instructions(std::string_view kernel, std::span<const CostTerm> terms, Target target) {
  if (terms.empty() || target == Target::generic) return std::nullopt;
  double sum = 0;
  for (const CostTerm& term : terms) {
    if (term.times == 0) continue;
    const bool is_fixed = kernel.find('/') != std::string_view::npos;
    const CostCoefficient* found =
        is_fixed ? find_fixed(kernel, term.name) : find_coefficient(table_name(kernel), term.name);
    if (!found) return std::nullopt;
    sum += term.times * coefficient_on(*found, target);
  }
  return sum;
}

std::optional<double> predicted_instructions(const LoweredStep& step, Target target) {
  return predicted_instructions(step.kernel, cost_terms(step, target), target);
}

}  // namespace tinyml
