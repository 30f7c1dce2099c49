// Puts the parts of an Error into its one line. Names come from foreign files, so they are escaped and shortened.
#include "lib/support/error.h"

namespace tinyml {

std::string printable(const std::string& text) {
  constexpr std::size_t kLongest = 200;
  static const char* const digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    if (out.size() >= kLongest) return out + "...";
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
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
