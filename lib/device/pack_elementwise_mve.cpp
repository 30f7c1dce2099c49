// The loops are written in assembly: an iteration costs its instructions. What surrounds them was measured by
// scripts/kernel_tests.sh --layers elementwise_mve.
#include "lib/device/pack_elementwise_mve.h"

#include "lib/device/cost.h"

namespace tinyml {
namespace {

double blocks_of(double n, std::int64_t lanes) {
  return static_cast<double>((static_cast<std::int64_t>(n) + lanes - 1) / lanes);
}

StepForm make_form(const LoweredStep& portable, const char* kernel, double instructions) {
  StepForm form;
  form.step = portable;
  form.step.kernel = kernel;
  form.instructions = instructions;
  return form;
}

// What lib/runtime/kernels/binary_mve.h makes of the dimensions: calls of the function for rows, where the walk carries
// between them, rows in all, elements of each.
struct Rows {
  double calls = 1, carries = 0, rows = 1, n = 1;
  bool is_dense = true;  // both operands within a row; else one of them is a single element
};

std::optional<Rows> rows_of(const LoweredStep& step) {
  const StridedWalk walk = strided_walk(step, "a_strides", "b_strides");
  const std::int64_t a = walk.a_step, b = walk.b_step;
  Rows result{1, 0, walk.rows, walk.row, a == b};
  if (walk.row > 1 && !(a == 1 && b == 1) && !(a == 1 && b == 0) && !(a == 0 && b == 1)) return std::nullopt;
  if (walk.outer == 0) return result;
  result.calls = walk.rows / walk.last_outer;
  result.carries = walk.carries - result.calls;  // the innermost axis of rows is the function's own
  return result;
}

// Instructions of a call, a row, a row with a single element, and of the loop's iteration over so many elements.
struct BinaryCosts {
  double once, call, row, single_row, iteration;
  std::int64_t lanes;
};

double binary_cost(const Rows& r, const BinaryCosts& c, double n) {
  return c.once + r.carries * 17 + r.calls * c.call +
         r.rows * ((r.is_dense ? c.row : c.single_row) + c.iteration * blocks_of(n, c.lanes));
}

}  // namespace

std::optional<StepForm> add_mve_form(const LoweredStep& portable, Target) {
  const std::optional<Rows> r = rows_of(portable);
  if (!r) return std::nullopt;
  return make_form(portable, "tml_add_s8_mve", binary_cost(*r, {150, 119, 9, 56, 10, 4}, r->n));
}

std::optional<StepForm> mul_mve_form(const LoweredStep& portable, Target) {
  const std::optional<Rows> r = rows_of(portable);
  const std::int64_t shift = field_value(portable, "shift");
  if (!r || shift > 14) return std::nullopt;
  const bool is_odd = static_cast<std::int64_t>(r->n) % 2 != 0;
  const double last = is_odd ? (shift == 0 ? 35 : 54) : 0;  // the last element of a row, alone
  return make_form(portable, "tml_mul_s8_mve",
                   binary_cost(*r, {160, 134, 9, 56, 15, 8}, is_odd ? r->n - 1 : r->n) + r->rows * last);
}

std::optional<StepForm> lut_mve_form(const LoweredStep& portable, Target) {
  const auto count = static_cast<double>(field_value(portable, "count"));
  return make_form(portable, "tml_lut_s8_mve", 20 + 5 * blocks_of(count, 16));
}

// One row after the other: the maximum, the sum of the exponentials, a division, the outputs.
std::optional<StepForm> softmax_mve_form(const LoweredStep& portable, Target) {
  if (field_value(portable, "inner") != 1) return std::nullopt;
  const auto rows = static_cast<double>(field_value(portable, "outer")),
             depth = static_cast<double>(field_value(portable, "depth"));
  return make_form(portable, "tml_softmax_s8_mve",
                   40 + rows * (110 + 3 * blocks_of(depth, 16) + (6 + 11) * blocks_of(depth, 4)));
}

}  // namespace tinyml
