// Puts the parts of an Error into its one line. Names come from foreign files, so they are escaped and shortened.
#include "lib/support/error.h"

namespace tinyml {

namespace {

// Length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7, without its finest cases), 0 when there is
// none.
std::size_t utf8_length(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xc0U) != 0x80U) return 0;
  return length;
}

}  // namespace

std::string printable(const std::string& text) {
  constexpr std::size_t kLongest = 200;
  static const char* const digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (out.size() >= kLongest) return out + "...";
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text, i);
    if (length != 0 && byte >= 0x20 && byte != 0x7f) {
      out += text.substr(i, length);
      i += length;
    } else {
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
      ++i;
    }
  }
  return out;
}

void Error::rebuild() {
  line_.clear();
  if (!file_.empty()) line_ += printable(file_) + ": ";
  if (!node_.empty()) line_ += "node '" + printable(node_) + "': ";
  if (!tensor_.empty()) line_ += "tensor '" + printable(tensor_) + "': ";
  line_ += message_;
  if (!hint_.empty()) line_ += "; " + hint_;
  for (char& c : line_)
    if (c == '\n' || c == '\r') c = ' ';
}

void internal_error(const std::string& what) {
  throw Error("internal error: " + what, "please report this with the model", ExitCode::internal);
}

}  // namespace tinyml
