// Logging to stderr. Results go to stdout and never through here. Used by commands and drivers, not by passes or ops.
#pragma once

#include <string>

namespace tinyml {

enum class LogLevel { quiet, normal, verbose, debug };

void set_log_level(LogLevel level);
LogLevel log_level();
void log_info(const std::string& line);     // shown unless --quiet
void log_verbose(const std::string& line);  // shown with -v
void log_debug(const std::string& line);    // shown with -vv
void log_warning(const std::string& line);  // shown unless --quiet, prefixed "warning: "

}  // namespace tinyml
