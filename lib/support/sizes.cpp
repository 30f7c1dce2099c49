// One place for the factor 1024, so that every option and table means the same.
#include "lib/support/sizes.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "lib/support/error.h"

namespace tinyml {
namespace {

double unit_factor(std::string_view unit) {
  if (unit.empty() || unit == "B") return 1;
  const char first = unit[0];
  const std::string_view rest = unit.substr(1);
  if (!rest.empty() && rest != "B" && rest != "iB" && rest != "b") return 0;
  if (first == 'K' || first == 'k') return 1024;
  if (first == 'M' || first == 'm') return 1024.0 * 1024;
  if (first == 'G' || first == 'g') return 1024.0 * 1024 * 1024;
  return 0;
}

}  // namespace

std::uint64_t parse_size(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const double bytes = number * unit_factor(text.substr(static_cast<std::size_t>(end - text.data())));
  constexpr double kMost = 1e15;
  const bool whole = bytes == std::floor(bytes);
  if (error != std::errc{} || !(bytes > 0 && bytes < kMost) || !whole)
    throw Error("'" + printable(std::string(text)) + "' is no size", "write bytes, or 64K or 1.5M", ExitCode::usage);
  return static_cast<std::uint64_t>(bytes);
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  const double kilo = static_cast<double>(bytes) / 1024;
  return kilo < 1024 ? fmt::format("{:.1f} KB", kilo) : fmt::format("{:.1f} MB", kilo / 1024);
}

}  // namespace tinyml
