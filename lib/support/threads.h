// A small pool with a static, deterministic partition: which indices a chunk holds depends on the count and the grain
// alone, never on timing, so that results do not depend on scheduling. One pool per command, owned by main.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace tinyml {

class ThreadPool {
 public:
  // threads = 0: as many as the machine has. The calling thread is one of them.
  explicit ThreadPool(unsigned threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned size() const { return size_; }

  // Calls body(begin, end) for chunks of at least `grain` indices that cover [0, count); returns when all are done.
  // Runs inline when there is one chunk, one thread, or when called from within a body. The first exception thrown by a
  // body (lowest chunk) is rethrown here.
  void parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
  unsigned size_;
};

}  // namespace tinyml
