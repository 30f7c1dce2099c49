// Reads the text form of a graph (see text.h) by recursive descent, one pass, no look-ahead beyond a character. Every
// fault is an Error that names the line and what was expected; sizes are checked before memory is taken.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lib/ir/text.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Characters and words; knows the line.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[noreturn]] void fail(const std::string& expected) const {
    std::string found(text_.substr(at_, 20));
    found = found.substr(0, found.find('\n'));
    throw Error(fmt::format("line {}: expected {}, found '{}'", line_, expected, printable(found)));
  }

  void skip_space() {
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      if (at_ == text_.size()) return;
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != ' ' && text_[at_] != '\n' && text_[at_] != '\t' && text_[at_] != '\r') return;
    }
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || c == '\0') return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("'{}'", c));
  }
  std::string_view bare() {
    skip_space();
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_bare(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  bool accept_word(std::string_view word) {
    skip_space();
    const std::size_t before = at_;
    if (bare() == word) return true;
    at_ = before;
    return false;
  }
  std::string name() {
    if (peek() == '"') return string();
    const std::string_view word = bare();
    if (word.empty()) fail("a name");
    return std::string(word);
  }
  std::string string() {
    expect('"');
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      if (text_[at_] != '\\') {
        out += text_[at_++];
      } else if (++at_ < text_.size() && text_[at_] == 'x') {
        out += hex_byte();
      } else if (at_ < text_.size()) {
        out += text_[at_++];
      }
    }
    if (at_ == text_.size() || text_[at_] != '"') fail("a closing '\"'");
    ++at_;
    return out;
  }
  template <class T>
  T number() {
    skip_space();
    T value{};
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc{}) fail("a number in range");
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  // Calls item() for each element of a comma-separated list up to `close`.
  template <class F>
  void list(char close, F item) {
    if (accept(close)) return;
    do item();
    while (accept(','));
    expect(close);
  }

  // For a number whose kind its ending decides: where it began.
  std::size_t position() {
    skip_space();
    return at_;
  }
  void rewind(std::size_t position) { at_ = position; }

 private:
  static bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/' || c == '-';
  }
  char hex_byte() {
    unsigned value = 0;
    const std::string_view digits = text_.substr(at_ + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{} || end != digits.data() + 2) fail("two hexadecimal digits");
    at_ += 3;
    return static_cast<char>(value);
  }

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
};

DType read_dtype(Scanner& in) {
  const std::size_t begin = in.position();
  const std::string_view word = in.bare();
  for (int i = 0; i <= static_cast<int>(DType::string); ++i)
    if (dtype_name(static_cast<DType>(i)) == word) return static_cast<DType>(i);
  in.rewind(begin);
  in.fail("an element type");
}

Dim read_dim(Scanner& in) {
  if (in.accept('?')) return {};
  const char c = in.peek();
  if (c >= '0' && c <= '9') return Dim(in.number<std::int64_t>());
  return Dim(in.name());
}

TensorType read_type(Scanner& in) {
  TensorType type{read_dtype(in), std::nullopt};
  in.expect('[');
  if (in.accept('*')) {
    in.expect(']');
    return type;
  }
  type.shape.emplace();
  in.list(']', [&] { type.shape->push_back(read_dim(in)); });
  return type;
}

template <class T>
std::vector<T> read_list_or_one(Scanner& in) {
  std::vector<T> items;
  if (in.accept('['))
    in.list(']', [&] { items.push_back(in.number<T>()); });
  else
    items.push_back(in.number<T>());
  return items;
}

QuantParams read_quant(Scanner& in) {
  QuantParams quant;
  in.expect('(');
  quant.type = read_dtype(in);
  in.expect(',');
  quant.scales = read_list_or_one<float>(in);
  in.expect(',');
  quant.zero_points = read_list_or_one<std::int32_t>(in);
  if (in.accept(',')) {
    if (!in.accept_word("axis")) in.fail("'axis'");
    quant.axis = in.number<int>();
  }
  in.expect(')');
  return quant;
}

// One element into a tensor of any numeric type.
void store(Scanner& in, Tensor& tensor, std::size_t i) {
  switch (tensor.dtype()) {
    case DType::f32:
      tensor.data<float>()[i] = in.number<float>();
      return;
    case DType::f64:
      tensor.data<double>()[i] = in.number<double>();
      return;
    case DType::f16:
      tensor.data<std::uint16_t>()[i] = float_to_half(in.number<float>());
      return;
    case DType::bf16:
      tensor.data<std::uint16_t>()[i] = float_to_bfloat16(in.number<float>());
      return;
    case DType::u64:
      tensor.data<std::uint64_t>()[i] = in.number<std::uint64_t>();
      return;
    case DType::string:
      in.fail("no elements of strings");
    default: {
      const DType type = tensor.dtype();
      const DType held = type == DType::i4 ? DType::i8 : type == DType::u4 ? DType::u8 : type;  // unpacked
      const Tensor one = convert(Tensor::scalar<std::int64_t>(in.number<std::int64_t>()), held);
      const std::size_t size = byte_size(tensor.dtype());
      std::copy_n(one.raw(), size, tensor.raw() + i * size);
    }
  }
}

Tensor read_elements(Scanner& in, DType dtype, const Dims& dims) {
  constexpr std::int64_t kMost = std::int64_t{1} << 28;  // a text that asks for more is a mistake
  if (element_count(dims) > kMost) in.fail("a smaller constant");
  if (in.accept_word("digest")) in.fail("elements (a digest cannot be read back)");
  Tensor tensor(dtype, dims);
  const auto count = static_cast<std::size_t>(tensor.size());
  if (in.accept_word("splat")) {
    in.expect('(');
    if (count == 0) in.fail("no elements");
    store(in, tensor, 0);
    const std::size_t size = byte_size(dtype);
    for (std::size_t i = 1; i < count; ++i) std::copy_n(tensor.raw(), size, tensor.raw() + i * size);
    in.expect(')');
    return tensor;
  }
  in.expect('{');
  std::size_t i = 0;
  in.list('}', [&] {
    if (i == count) in.fail(fmt::format("only {} elements", count));
    store(in, tensor, i++);
  });
  if (i != count && dtype != DType::string) in.fail(fmt::format("{} elements, not {}, before this", count, i));
  return tensor;
}

std::vector<float> read_floats(Scanner& in) {
  std::vector<float> items;
  in.expect('[');
  in.list(']', [&] { items.push_back(in.number<float>()); });
  return items;
}

// An integer, or a float when `f` follows the number.
Attribute read_number(Scanner& in) {
  const std::size_t begin = in.position();
  const float real = in.number<float>();
  if (in.accept_word("f")) return real;
  in.rewind(begin);
  return in.number<std::int64_t>();
}

bool next_is(Scanner& in, std::string_view word) {
  const std::size_t begin = in.position();
  const bool found = in.accept_word(word);
  in.rewind(begin);
  return found;
}

Attribute read_attribute(Scanner& in) {
  const char c = in.peek();
  if (c == '"') return in.string();
  if (c == '[') {
    std::vector<std::int64_t> items;
    in.expect('[');
    in.list(']', [&] { items.push_back(in.number<std::int64_t>()); });
    return items;
  }
  if (in.accept_word("floats")) return read_floats(in);
  if (in.accept_word("strings")) {
    std::vector<std::string> items;
    in.expect('[');
    in.list(']', [&] { items.push_back(in.string()); });
    return items;
  }
  if (c == '-' || (c >= '0' && c <= '9') || next_is(in, "inff") || next_is(in, "nanf")) return read_number(in);
  const TensorType type = read_type(in);
  if (!type.shape || !is_static(*type.shape)) in.fail("a static shape before this");
  return read_elements(in, type.dtype, to_dims(*type.shape));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : in_(text) {}

  Graph run() {
    while (!in_.at_end()) statement();
    return std::move(graph_);
  }

 private:
  void statement() {
    const char c = in_.peek();
    if (c == '%' || c == '_') return read_node();
    if (in_.accept_word("graph")) {
      graph_.name = in_.name();
      if (in_.accept_word("opset")) graph_.opset = in_.number<int>();
    } else if (in_.accept_word("meta")) {
      const std::string key = in_.string();
      in_.expect('=');
      graph_.metadata[key] = in_.string();
    } else if (in_.accept_word("input")) {
      const std::string name = new_name();
      in_.expect(':');
      const ValueId id = graph_.add_input(name, read_type(in_));
      if (in_.accept_word("quant")) graph_.value(id).quant = read_quant(in_);
    } else if (in_.accept_word("const")) {
      read_constant();
    } else if (in_.accept_word("output")) {
      std::vector<ValueId> outputs;
      do outputs.push_back(reference());
      while (in_.accept(','));
      graph_.set_outputs(std::move(outputs));
    } else {
      in_.fail("a statement (graph, meta, input, const, output, or %value = ...)");
    }
  }

  std::string new_name() {
    in_.expect('%');
    const std::size_t begin = in_.position();
    std::string name = in_.name();
    if (!graph_.find_value(name) && !name.empty()) return name;
    in_.rewind(begin);
    in_.fail("a name that is not taken");
  }

  ValueId reference() {
    if (in_.accept_word("_")) return ValueId::none;
    in_.expect('%');
    const std::size_t begin = in_.position();
    if (const auto id = graph_.find_value(in_.name())) return *id;
    in_.rewind(begin);
    in_.fail("a value defined above");
  }

  void read_constant() {
    const std::string name = new_name();
    in_.expect(':');
    const TensorType type = read_type(in_);
    if (!type.shape || !is_static(*type.shape)) in_.fail("a static shape before this");
    std::optional<QuantParams> quant;
    if (in_.accept_word("quant")) quant = read_quant(in_);
    in_.expect('=');
    const ValueId id =
        graph_.add_constant(name, read_elements(in_, quant ? quant->type : type.dtype, to_dims(*type.shape)));
    graph_.value(id).type = type;
    graph_.value(id).quant = std::move(quant);
  }

  ValueId read_output() {
    if (in_.accept_word("_")) return ValueId::none;
    const std::string name = new_name();
    TensorType type;
    if (in_.accept(':')) type = read_type(in_);
    const ValueId id = graph_.add_value(name, std::move(type));
    if (in_.accept_word("quant")) graph_.value(id).quant = read_quant(in_);
    return id;
  }

  void read_node() {
    Node node;
    do node.outputs.push_back(read_output());
    while (in_.accept(','));
    in_.expect('=');
    node.op = in_.name();
    in_.expect('(');
    in_.list(')', [&] { node.inputs.push_back(reference()); });
    if (in_.accept('{'))
      in_.list('}', [&] {
        const std::string key = in_.name();
        in_.expect('=');
        node.attributes[key] = read_attribute(in_);
      });
    for (const ValueId output : node.outputs)
      if (output != ValueId::none && node.name.empty()) node.name = graph_.value(output).name;
    if (in_.accept('@')) node.name = in_.name();
    if (graph_.find_node(node.name)) in_.fail("a node name that is not taken before this");
    read_origins(node);
    graph_.add_node(std::move(node));
  }

  void read_origins(Node& node) {
    if (!in_.accept_word("from")) {
      node.origins = {node.name};
    } else if (!in_.accept_word("_")) {
      do node.origins.push_back(in_.name());
      while (in_.accept(','));
    }
  }

  Scanner in_;
  Graph graph_;
};

}  // namespace

Graph parse(std::string_view text) { return Parser(text).run(); }

}  // namespace tinyml
