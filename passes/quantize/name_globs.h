// Nodes chosen by globs on the command line (--exclude, --int16).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tinyml {

// Whether `pattern` (* any run, ? one character) matches all of `text`.
bool glob_matches(std::string_view pattern, std::string_view text);

class NameGlobs {
 public:
  // `option` is what the user gave them with.
  NameGlobs(const std::vector<std::string>& patterns, std::string option);
  // Whether a pattern matches the name or one of the origins.
  bool match(const std::string& name, const std::vector<std::string>& origins);
  // Error for a pattern that has matched nothing.
  void require_hits() const;

 private:
  const std::vector<std::string>& patterns_;
  std::string option_;
  std::vector<bool> hit_;
};

}  // namespace tinyml
