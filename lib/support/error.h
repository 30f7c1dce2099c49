// The one error type. Thrown where the fault is found, given context (file, node, tensor) by the loop that knows it,
// caught once in main, where `kind` becomes the exit code. Library code never exits and never prints.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace tinyml {

// The tool's exit codes; see README, "Exit codes".
enum class ExitCode : int { ok = 0, internal = 1, usage = 2, invalid_input = 3, bound_not_met = 4 };

class Error : public std::exception {
 public:
  // `message` says what was found and what was expected; `hint` says what to do about it. Both without a full stop.
  explicit Error(std::string message, std::string hint = {}, ExitCode kind = ExitCode::invalid_input)
      : message_(std::move(message)), hint_(std::move(hint)), kind_(kind) {
    rebuild();
  }

  // Context is added once, by the innermost loop that knows it: a second call for the same part has no effect.
  Error& in_file(const std::string& file) { return set(file_, file); }
  Error& at_node(const std::string& node) { return set(node_, node); }
  Error& at_tensor(const std::string& tensor) { return set(tensor_, tensor); }

  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  ExitCode kind() const { return kind_; }

  // One line: "FILE: node 'N': tensor 'T': MESSAGE; HINT". Control characters of foreign names are escaped.
  const char* what() const noexcept override { return line_.c_str(); }

 private:
  Error& set(std::string& part, const std::string& value) {
    if (part.empty()) part = value;
    rebuild();
    return *this;
  }
  void rebuild();

  std::string file_, node_, tensor_, message_, hint_, line_;
  ExitCode kind_;
};

// A broken invariant of ours, with exit code 1.
[[noreturn]] void internal_error(const std::string& what);

// Makes a foreign string fit for one line of a message: control bytes escaped, cut at 200 bytes.
std::string printable(const std::string& text);

}  // namespace tinyml
