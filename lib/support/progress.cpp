// Redraws one line at most ten times a second, so that it costs nothing beside the work.
#include "lib/support/progress.h"

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

#include "lib/support/log.h"

namespace tinyml {

Progress::Progress(std::string what)
    : what_(std::move(what)), active_(::isatty(STDERR_FILENO) == 1 && log_level() >= LogLevel::normal) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\x1B[K", stderr);
}

void Progress::update(std::size_t done, std::size_t all) {
  const auto now = std::chrono::steady_clock::now();
  if (!active_ || all == 0 || (now < next_ && done < all)) return;
  next_ = now + std::chrono::milliseconds(100);
  constexpr std::size_t kWidth = 30;
  const std::size_t full = kWidth * done / all;
  const std::string bar = std::string(full, '#') + std::string(kWidth - full, '.');
  fmt::print(stderr, "\r{} [{}] {}/{}\x1B[K", what_, bar, done, all);
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace tinyml
