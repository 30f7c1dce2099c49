// Reshape: other dimensions for the same elements. 0 copies the input's dimension (unless allowzero), one -1 is derived
// from the rest; symbolic dimensions cancel, so [batch,64,1,1] to [-1,64] is [batch,64].
#include <algorithm>

#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// A product of dimensions: the known part, the symbols in it, and whether it has nameless unknowns.
struct Product {
  std::int64_t known = 1;
  std::vector<std::string> symbols;
  bool vague = false;

  void multiply(const Dim& d) {
    if (d.known())
      known = mul_dims(known, d).value;
    else if (d.symbol.empty())
      vague = true;
    else
      symbols.push_back(d.symbol);
  }
  void cancel(Product& other) {
    std::erase_if(symbols, [&](const std::string& s) {
      const auto it = std::find(other.symbols.begin(), other.symbols.end(), s);
      if (it == other.symbols.end()) return false;
      other.symbols.erase(it);
      return true;
    });
  }
};

[[noreturn]] void refuse(const Shape& from, const Shape& to) {
  throw Error("cannot reshape " + to_string(from) + " to " + to_string(to), "element counts must agree");
}

// The dimension that -1 stands for.
Dim derive(const Shape& input, const Shape& target, std::size_t derived) {
  Product in, out;
  for (const Dim& d : input) in.multiply(d);
  for (std::size_t i = 0; i < target.size(); ++i)
    if (i != derived) out.multiply(target[i]);
  in.cancel(out);
  if (in.vague || out.vague || !out.symbols.empty() || out.known == 0) return {};
  if (in.symbols.empty()) {
    if (in.known % out.known != 0) refuse(input, target);
    return in.known / out.known;
  }
  if (in.symbols.size() == 1 && in.known == out.known) return Dim(in.symbols[0]);
  return {};
}

// The target with zeros and -1 resolved as far as they can be.
Shape resolve(const std::vector<Dim>& target, const Shape* input, bool allow_zero) {
  Shape out;
  std::optional<std::size_t> derived;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const auto value = element_value(target[i]);
    if (value && *value == -1) {
      if (derived) throw Error("Reshape to a shape with two dimensions of -1", "at most one may be derived");
      derived = i;
      out.emplace_back();
    } else if (value && *value == 0 && !allow_zero) {
      if (input != nullptr && i >= input->size())
        throw Error("Reshape copies dimension " + std::to_string(i) + " of " + to_string(*input),
                    "0 must stand for a dimension that the input has");
      out.push_back(input != nullptr ? (*input)[i] : Dim());
    } else {
      out.push_back(element_to_dim(target[i]));
    }
  }
  if (input == nullptr) return out;
  if (derived) out[*derived] = derive(*input, out, *derived);
  if (is_static(out) && is_static(*input) && element_count(to_dims(out)) != element_count(to_dims(*input)))
    refuse(*input, out);
  return out;
}

std::vector<InferredValue> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  const auto target = node.known_elements(1);
  if (!target) return {{{type.dtype, unknown_shape_of_length(node, 1)}, {}}};
  const Shape out = resolve(*target, node.input_shape(0), node.integer("allowzero", 0) != 0);
  return {{{type.dtype, out}, node.known_elements(0)}};
}

void evaluate(EvalContext& context) {
  std::vector<Dim> target;
  for (const std::int64_t d : to_int64s(context.input(1))) target.push_back(shape_element(d));
  const Shape input = to_shape(context.input(0).dims());
  const Shape out = resolve(target, &input, context.node.integer("allowzero", 0) != 0);
  if (!is_static(out)) refuse(input, out);
  copy_with_dims(context, to_dims(out));
}

// A constant target that names the input's dimensions; at most one of them may be computed (-1), any copied (0).
bool is_no_op(const NodeView& node) {
  const auto target = node.constant_ints(1);
  const Shape* in = node.input_shape(0);
  if (!target || in == nullptr || target->size() != in->size() || node.integer("allowzero", 0) != 0)
    return keeps_shape(node);
  bool computed = false;
  for (std::size_t i = 0; i < in->size(); ++i) {
    const std::int64_t t = (*target)[i];
    if (t == 0 || ((*in)[i].known() && (*in)[i].value == t && t > 0)) continue;
    if (t != -1 || computed) return false;
    computed = true;
  }
  return true;
}

}  // namespace

const OpDef& op_reshape() {
  static const OpDef op{.name = "Reshape",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_view,
                        .lower = lower_view,
                        .int16 = takes_int16,
                        .is_no_op = is_no_op,
                        .reshapes = true};
  return op;
}

}  // namespace tinyml
