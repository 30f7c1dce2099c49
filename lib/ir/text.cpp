// Prints the text form; text_parse.cpp reads it. Numbers print in the shortest form that reads back to the same bits
// (NaN payloads excepted). Names that are no plain identifiers are quoted and escaped.
#include "lib/ir/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace tinyml {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '/' || c == '-';
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + "\"";
}

std::string name_text(std::string_view name) {
  const bool plain = !name.empty() && name != "_" && std::all_of(name.begin(), name.end(), is_bare);
  return plain ? std::string(name) : quoted(name);
}

// A symbol that could be taken for a number is quoted.
std::string dim_text(const Dim& dim) {
  if (dim.known()) return std::to_string(dim.value);
  if (dim.symbol.empty()) return "?";
  const char first = dim.symbol.front();
  return (first >= '0' && first <= '9') || first == '-' ? quoted(dim.symbol) : name_text(dim.symbol);
}

std::string type_text(const TensorType& type) {
  std::string out(dtype_name(type.dtype));
  if (!type.shape) return out + "[*]";
  out += '[';
  for (std::size_t i = 0; i < type.shape->size(); ++i) out += (i != 0 ? "," : "") + dim_text((*type.shape)[i]);
  return out + ']';
}

template <class T>
std::string list_text(const std::vector<T>& items) {
  return items.size() == 1 ? fmt::format("{}", items[0]) : fmt::format("[{}]", fmt::join(items, ", "));
}

std::string quant_text(const QuantParams& quant) {
  std::string out =
      fmt::format(" quant({}, {}, {}", dtype_name(quant.type), list_text(quant.scales), list_text(quant.zero_points));
  if (quant.axis >= 0) out += fmt::format(", axis {}", quant.axis);
  return out + ")";
}

template <class T, class Convert>
std::string elements_of(std::span<const T> data, Convert convert) {
  std::string out;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i != 0) out += ", ";
    out += fmt::format("{}", convert(data[i]));
  }
  return out;
}

template <class T>
std::string numbers(const Tensor& tensor, std::size_t count) {
  return elements_of(tensor.data<T>().first(count), [](T v) { return v; });
}

std::string first_elements(const Tensor& tensor, std::size_t count) {
  switch (tensor.dtype()) {
    case DType::f32:
      return numbers<float>(tensor, count);
    case DType::f64:
      return numbers<double>(tensor, count);
    case DType::f16:
      return elements_of(tensor.data<std::uint16_t>().first(count), half_to_float);
    case DType::bf16:
      return elements_of(tensor.data<std::uint16_t>().first(count), bfloat16_to_float);
    case DType::u64:
      return numbers<std::uint64_t>(tensor, count);
    case DType::string:
      return "";
    default:
      return numbers<std::int64_t>(convert(tensor, DType::i64), count);
  }
}

bool all_equal(const Tensor& tensor) {
  const std::size_t size = byte_size(tensor.dtype()), count = static_cast<std::size_t>(tensor.size());
  for (std::size_t i = 1; i < count; ++i)
    if (std::memcmp(tensor.raw(), tensor.raw() + i * size, size) != 0) return false;
  return count > 1;
}

// FNV-1a, 64 bits: tells constants apart in dumps, nothing more.
std::uint64_t digest(const Tensor& tensor) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (std::size_t i = 0; i < tensor.bytes(); ++i)
    hash = (hash ^ static_cast<std::uint64_t>(tensor.raw()[i])) * 0x100000001b3U;
  return hash;
}

std::string elements_text(const Tensor& tensor, std::size_t most_elements) {
  const auto count = static_cast<std::size_t>(tensor.size());
  if (all_equal(tensor)) return "splat(" + first_elements(tensor, 1) + ")";
  if (count > most_elements) return fmt::format("digest({} elements, {:016x})", count, digest(tensor));
  return "{" + first_elements(tensor, count) + "}";
}

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

std::string attribute_text(const Attribute& attribute, std::size_t most_elements) {
  return std::visit(
      Overloaded{[](std::int64_t v) { return fmt::format("{}", v); }, [](float v) { return fmt::format("{}f", v); },
                 [](const std::string& v) { return quoted(v); },
                 [](const std::vector<std::int64_t>& v) { return fmt::format("[{}]", fmt::join(v, ", ")); },
                 [](const std::vector<float>& v) { return fmt::format("floats[{}]", fmt::join(v, ", ")); },
                 [](const std::vector<std::string>& v) {
                   std::string out = "strings[";
                   for (std::size_t i = 0; i < v.size(); ++i) out += (i != 0 ? ", " : "") + quoted(v[i]);
                   return out + "]";
                 },
                 [&](const Tensor& v) {
                   return type_text({v.dtype(), to_shape(v.dims())}) + elements_text(v, most_elements);
                 }},
      attribute);
}

class Printer {
 public:
  Printer(const Graph& graph, std::size_t most_elements) : graph_(graph), most_elements_(most_elements) {}

  std::string run() {
    out_ = "graph " + name_text(graph_.name);
    if (graph_.opset != 0) out_ += fmt::format(" opset {}", graph_.opset);
    out_ += '\n';
    for (const auto& [key, text] : graph_.metadata) out_ += fmt::format("meta {} = {}\n", quoted(key), quoted(text));
    for (const ValueId id : graph_.inputs()) out_ += "input " + typed(id) + "\n";
    for (const ValueId id : graph_.values())
      if (graph_.value(id).constant)
        out_ += "const " + typed(id) + " = " + elements_text(*graph_.value(id).constant, most_elements_) + "\n";
    for (const NodeId id : graph_.nodes()) print_node(graph_.node(id));
    print_outputs();
    return std::move(out_);
  }

 private:
  std::string reference(ValueId id) const { return id == ValueId::none ? "_" : "%" + name_text(graph_.value(id).name); }
  std::string typed(ValueId id) const {
    if (id == ValueId::none) return "_";
    const Value& value = graph_.value(id);
    return reference(id) + ": " + type_text(value.type) + (value.quant ? quant_text(*value.quant) : "");
  }

  void print_node(const Node& node) {
    for (std::size_t i = 0; i < node.outputs.size(); ++i) out_ += (i != 0 ? ", " : "") + typed(node.outputs[i]);
    out_ += " = " + name_text(node.op) + "(";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) out_ += (i != 0 ? ", " : "") + reference(node.inputs[i]);
    out_ += ")";
    if (!node.attributes.empty()) {
      const char* separator = " {";
      for (const auto& [key, value] : node.attributes) {
        out_ += separator + name_text(key) + "=" + attribute_text(value, most_elements_);
        separator = ", ";
      }
      out_ += "}";
    }
    const bool named_after_output =
        !node.outputs.empty() && node.outputs[0] != ValueId::none && graph_.value(node.outputs[0]).name == node.name;
    if (!named_after_output) out_ += " @" + name_text(node.name);
    print_origins(node);
    out_ += '\n';
  }

  void print_origins(const Node& node) {
    if (node.origins.size() == 1 && node.origins[0] == node.name) return;
    out_ += node.origins.empty() ? " from _" : " from ";
    for (std::size_t i = 0; i < node.origins.size(); ++i) out_ += (i != 0 ? ", " : "") + name_text(node.origins[i]);
  }

  void print_outputs() {
    if (graph_.outputs().empty()) return;
    out_ += "output ";
    for (std::size_t i = 0; i < graph_.outputs().size(); ++i)
      out_ += (i != 0 ? ", " : "") + reference(graph_.outputs()[i]);
    out_ += '\n';
  }

  const Graph& graph_;
  std::size_t most_elements_;
  std::string out_;
};

}  // namespace

std::string print(const Graph& graph, std::size_t most_elements) { return Printer(graph, most_elements).run(); }

}  // namespace tinyml
