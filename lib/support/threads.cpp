// Workers spin briefly for the next job before they sleep: inference of a small net is a chain of microsecond jobs, and
// waking a sleeping thread costs more than most of them.
#include "lib/support/threads.h"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tinyml {
namespace {

constexpr int kSpins = 2000;  // about 20 us of polling, below the cost of a futex wake plus reschedule
thread_local bool t_inside = false;

}  // namespace

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> workers;
  std::vector<std::exception_ptr> errors;
  const std::function<void(std::size_t, std::size_t)>* body = nullptr;
  std::size_t count = 0, chunks = 0;
  std::atomic<unsigned> generation{0};
  std::atomic<unsigned> pending{0};
  std::atomic<bool> stop{false};

  void run_chunk(std::size_t chunk) {
    if (chunk >= chunks) return;
    const std::size_t begin = count * chunk / chunks, end = count * (chunk + 1) / chunks;
    t_inside = true;
    try {
      (*body)(begin, end);
    } catch (...) {
      errors[chunk] = std::current_exception();
    }
    t_inside = false;
  }

  void work(std::size_t index) {
    unsigned seen = 0;
    for (;;) {
      for (int i = 0; i < kSpins && generation.load(std::memory_order_acquire) == seen; ++i) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
      }
      if (generation.load(std::memory_order_acquire) == seen) {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return generation.load(std::memory_order_acquire) != seen || stop.load(); });
      }
      if (stop.load()) return;
      seen = generation.load(std::memory_order_acquire);
      run_chunk(index);
      pending.fetch_sub(1, std::memory_order_release);
    }
  }
};

ThreadPool::ThreadPool(unsigned threads) : state_(std::make_unique<State>()), size_(threads) {
  if (size_ == 0) size_ = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 1; i < size_; ++i) state_->workers.emplace_back([this, i] { state_->work(i); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (auto& worker : state_->workers) worker.join();
}

void ThreadPool::parallel_for(std::size_t count, std::size_t grain,
                              const std::function<void(std::size_t, std::size_t)>& body) {
  if (count == 0) return;
  const std::size_t most = grain == 0 ? count : (count + grain - 1) / grain;
  const std::size_t chunks = std::min<std::size_t>(size_, most);
  if (chunks <= 1 || t_inside) return body(0, count);
  State& s = *state_;
  s.body = &body;
  s.count = count;
  s.chunks = chunks;
  s.errors.assign(chunks, nullptr);
  s.pending.store(size_ - 1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(s.mutex);
    s.generation.fetch_add(1, std::memory_order_release);
  }
  s.wake.notify_all();
  s.run_chunk(0);
  while (s.pending.load(std::memory_order_acquire) != 0) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  for (const auto& error : s.errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace tinyml
