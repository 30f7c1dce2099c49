// Sizes as people write and read them: "64K" is 65536.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tinyml {

// "300", "64K", "1.5M" (1024 each; also "KB", "KiB", lower case). Throws Error (usage) for anything else.
std::uint64_t parse_size(std::string_view text);
// "300 B", "64.0 KB", "1.5 MB".
std::string format_size(std::uint64_t bytes);

}  // namespace tinyml
