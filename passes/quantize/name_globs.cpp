// Every pattern is tried on every name: a pattern that another one covers has its hit as well.
#include "passes/quantize/name_globs.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

NameGlobs::NameGlobs(const std::vector<std::string>& patterns, std::string option)
    : patterns_(patterns), option_(std::move(option)), hit_(patterns.size(), false) {}

bool NameGlobs::match(const std::string& name, const std::vector<std::string>& origins) {
  bool result = false;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const auto matches = [&](const std::string& text) { return glob_matches(patterns_[i], text); };
    if (matches(name) || std::any_of(origins.begin(), origins.end(), matches)) hit_[i] = result = true;
  }
  return result;
}

void NameGlobs::require_hits() const {
  for (std::size_t i = 0; i < hit_.size(); ++i)
    if (!hit_[i])
      throw Error("no node matches " + option_ + " " + printable(patterns_[i]),
                  "see `tinyml-opt inspect` for the node names");
}

}  // namespace tinyml
