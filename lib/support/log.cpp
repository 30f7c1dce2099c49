// spdlog behind a small door, so that its headers stay out of everybody's compile.
#include "lib/support/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tinyml {
namespace {

LogLevel g_level = LogLevel::normal;

spdlog::logger& logger() {
  static const auto instance = [] {
    auto created = spdlog::stderr_logger_mt("tinyml-opt");
    created->set_pattern("%v");
    created->set_level(spdlog::level::trace);
    return created;
  }();
  return *instance;
}

}  // namespace

void set_log_level(LogLevel level) { g_level = level; }
LogLevel log_level() { return g_level; }

void log_info(const std::string& line) {
  if (g_level >= LogLevel::normal) logger().info(line);
}
void log_verbose(const std::string& line) {
  if (g_level >= LogLevel::verbose) logger().info(line);
}
void log_debug(const std::string& line) {
  if (g_level >= LogLevel::debug) logger().info(line);
}
void log_warning(const std::string& line) {
  if (g_level >= LogLevel::normal) logger().info("warning: " + line);
}

}  // namespace tinyml
