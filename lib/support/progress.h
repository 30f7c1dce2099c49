// A progress bar on stderr: on a terminal only, and only when the log is not quiet. Elsewhere it does nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace tinyml {

class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();  // erases the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(std::size_t done, std::size_t all);

 private:
  std::string what_;
  bool shown_ = false, active_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace tinyml
