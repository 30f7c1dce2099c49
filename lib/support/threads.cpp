// Workers spin briefly for the next job before they sleep: inference of a small net is a chain of microsecond jobs, and
// waking a sleeping thread costs more than most of them. What a chunk holds is fixed; who runs it is not: the caller
// takes the chunks that no worker has claimed, so that it never waits for a worker that the system has not scheduled.
#include "lib/support/threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tinyml {
namespace {

constexpr int kSpins = 2000;        // some 50 us of polling, beyond the gap between two jobs of a net
constexpr int kSpinsToYield = 500;  // of the caller: a worker that holds a chunk may have lost its processor
thread_local bool t_inside = false;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// The job at hand in one word, so that a claim can never mix two jobs: serial number, chunks, next unclaimed chunk.
struct Ticket {
  std::uint32_t serial;
  std::uint16_t chunks, next;
  bool open() const { return next < chunks; }
};
static_assert(std::atomic<Ticket>::is_always_lock_free);

}  // namespace

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> workers;
  std::atomic<Ticket> ticket{Ticket{0, 0, 0}};
  std::atomic<unsigned> done{0};  // chunks of the job
  std::atomic<int> sleepers{0};
  std::atomic<bool> stop{false};
  // The job: written before its ticket is, and not again before its last claimed chunk is done.
  const std::function<void(std::size_t, std::size_t)>* body = nullptr;
  std::size_t count = 0;
  std::vector<std::exception_ptr> errors;

  void run_chunk(std::size_t chunk, std::size_t chunks) {
    t_inside = true;
    try {
      (*body)(count * chunk / chunks, count * (chunk + 1) / chunks);
    } catch (...) {
      errors[chunk] = std::current_exception();
    }
    t_inside = false;
    done.fetch_add(1, std::memory_order_release);
  }

  // Claims and runs one chunk; false when there is none left.
  bool help() {
    Ticket t = ticket.load();
    while (t.open()) {
      const Ticket claimed{t.serial, t.chunks, static_cast<std::uint16_t>(t.next + 1)};
      if (!ticket.compare_exchange_weak(t, claimed)) continue;
      run_chunk(t.next, t.chunks);
      return true;
    }
    return false;
  }

  void work() {
    while (!stop.load()) {
      for (int i = 0; i < kSpins; ++i) {
        if (help()) i = 0;
        pause();
      }
      std::unique_lock lock(mutex);
      ++sleepers;
      wake.wait(lock, [&] { return ticket.load().open() || stop.load(); });
      --sleepers;
    }
  }

  // A worker counts itself as a sleeper before it looks at the ticket for the last time, and the ticket is written
  // before the sleepers are counted: one of the two sees the other.
  void publish(std::size_t chunks) {
    const std::uint32_t serial = ticket.load().serial + 1;
    ticket.store(Ticket{serial, static_cast<std::uint16_t>(chunks), 1});
    if (sleepers.load() == 0) return;
    { const std::lock_guard lock(mutex); }
    wake.notify_all();
  }
};

ThreadPool::ThreadPool(unsigned threads) : state_(std::make_unique<State>()), size_(threads) {
  if (size_ == 0) size_ = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 1; i < size_; ++i) state_->workers.emplace_back([this] { state_->work(); });
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
  constexpr std::size_t kMostChunks = UINT16_MAX;
  const std::size_t most = grain == 0 ? count : (count + grain - 1) / grain;
  const std::size_t chunks = std::min({static_cast<std::size_t>(size_), most, kMostChunks});
  if (chunks <= 1 || t_inside) return body(0, count);
  State& s = *state_;
  s.body = &body;
  s.count = count;
  s.errors.assign(chunks, nullptr);
  s.done.store(0, std::memory_order_relaxed);
  s.publish(chunks);
  s.run_chunk(0, chunks);
  while (s.help()) {
  }
  for (int spins = 0; s.done.load(std::memory_order_acquire) != chunks; ++spins) {
    pause();
    if (spins > kSpinsToYield) std::this_thread::yield();
  }
  for (const auto& error : s.errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace tinyml
