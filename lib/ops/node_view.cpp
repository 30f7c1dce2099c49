// Typed access to attributes and operands, with an Error for every way in which a foreign file can get them wrong.
#include "lib/ops/node_view.h"

#include <charconv>

#include "lib/support/error.h"

namespace tinyml {
namespace {

template <class T>
const T* find(const Node& node, const std::string& key, const char* expected) {
  const auto it = node.attributes.find(key);
  if (it == node.attributes.end()) return nullptr;
  const T* value = std::get_if<T>(&it->second);
  if (value == nullptr)
    throw Error("attribute '" + key + "' must be " + expected, "export the model again or fix the attribute")
        .at_node(node.name);
  return value;
}

}  // namespace

std::int64_t NodeView::integer(const std::string& key, std::int64_t fallback) const {
  const auto* value = find<std::int64_t>(node_, key, "an integer");
  return value != nullptr ? *value : fallback;
}

float NodeView::real(const std::string& key, float fallback) const {
  const auto* value = find<float>(node_, key, "a float");
  return value != nullptr ? *value : fallback;
}

std::string NodeView::text(const std::string& key, const std::string& fallback) const {
  const auto* value = find<std::string>(node_, key, "a string");
  return value != nullptr ? *value : fallback;
}

std::vector<std::int64_t> NodeView::integers(const std::string& key, std::vector<std::int64_t> fallback) const {
  const auto* value = find<std::vector<std::int64_t>>(node_, key, "a list of integers");
  return value != nullptr ? *value : std::move(fallback);
}

const Tensor* NodeView::tensor(const std::string& key) const { return find<Tensor>(node_, key, "a tensor"); }

std::int64_t NodeView::required_integer(const std::string& key) const {
  if (!has(key)) throw Error("attribute '" + key + "' is missing", "export the model again").at_node(node_.name);
  return integer(key, 0);
}

const Value& NodeView::input(std::size_t i) const {
  if (!has_input(i))
    throw Error(node_.op + " has no input " + std::to_string(i), "the operator requires it").at_node(node_.name);
  return graph_.value(node_.inputs[i]);
}

const Value& NodeView::output(std::size_t i) const {
  if (i >= node_.outputs.size() || node_.outputs[i] == ValueId::none)
    throw Error(node_.op + " has no output " + std::to_string(i), "the operator requires it").at_node(node_.name);
  return graph_.value(node_.outputs[i]);
}

const Shape* NodeView::input_shape(std::size_t i) const {
  const auto& shape = input(i).type.shape;
  return shape ? &*shape : nullptr;
}

const Tensor* NodeView::constant(std::size_t i) const {
  if (!has_input(i)) return nullptr;
  const auto& value = graph_.value(node_.inputs[i]);
  return value.constant ? &*value.constant : nullptr;
}

std::optional<std::vector<std::int64_t>> NodeView::constant_ints(std::size_t i) const {
  const Tensor* t = constant(i);
  if (t == nullptr) return std::nullopt;
  return to_int64s(*t);
}

std::optional<std::vector<Dim>> NodeView::known_elements(std::size_t i) const {
  if (!has_input(i)) return std::nullopt;
  const Value& v = input(i);
  if (v.constant) {
    constexpr std::int64_t kSmall = 4096;  // shape tensors are short; a large constant is not one
    if (!is_integer(v.constant->dtype()) || v.constant->size() > kSmall) return std::nullopt;
    std::vector<Dim> dims;
    for (const std::int64_t x : to_int64s(*v.constant)) dims.push_back(shape_element(x));
    return dims;
  }
  return v.known_elements;
}

Dim shape_element(std::int64_t value) { return value < 0 ? Dim(std::to_string(value)) : Dim(value); }

std::optional<std::int64_t> element_value(const Dim& element) {
  if (element.known()) return element.value;
  const std::string& text = element.symbol;
  if (text.size() < 2 || text[0] != '-') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::size_t normalize_axis(std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r)
    throw Error("axis " + std::to_string(axis) + " is outside of a tensor of rank " + std::to_string(rank),
                "an axis lies in [-rank, rank)");
  return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

}  // namespace tinyml
