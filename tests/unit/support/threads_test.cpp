// ThreadPool: every index once, fixed chunks, errors of the lowest chunk, nested and very short jobs in a long row.
#include "lib/support/threads.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace tinyml;

TEST_CASE("parallel_for visits every index once", "[support]") {
  for (const unsigned threads : {1U, 2U, 3U, 8U}) {
    ThreadPool pool(threads);
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{1000}})
      for (const std::size_t grain : {std::size_t{0}, std::size_t{1}, std::size_t{100}}) {
        std::vector<std::atomic<int>> visits(count);
        pool.parallel_for(count, grain, [&](std::size_t from, std::size_t to) {
          for (std::size_t i = from; i < to; ++i) ++visits[i];
        });
        for (const auto& v : visits) CHECK(v == 1);
      }
  }
}

TEST_CASE("many short jobs with pauses between them", "[support]") {
  ThreadPool pool(4);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 1; i <= 20000; ++i) {
      std::atomic<std::size_t> sum{0};
      pool.parallel_for(4, 1, [&](std::size_t from, std::size_t to) { sum += (to - from) * i; });
      if (sum != 4 * i) FAIL("job " << i << " summed to " << sum);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // the workers fall asleep
  }
}

TEST_CASE("chunks depend on count and grain alone", "[support]") {
  ThreadPool pool(3);
  const std::set<std::pair<std::size_t, std::size_t>> expected{{0, 3}, {3, 6}, {6, 10}};
  for (int i = 0; i < 200; ++i) {
    std::mutex mutex;
    std::set<std::pair<std::size_t, std::size_t>> chunks;
    pool.parallel_for(10, 1, [&](std::size_t from, std::size_t to) {
      const std::lock_guard lock(mutex);
      chunks.emplace(from, to);
    });
    REQUIRE(chunks == expected);
  }
}

TEST_CASE("the error of the lowest chunk is rethrown, and the pool goes on", "[support]") {
  ThreadPool pool(3);
  for (int i = 0; i < 50; ++i)
    CHECK_THROWS_WITH(pool.parallel_for(3, 1,
                                        [](std::size_t from, std::size_t) {
                                          if (from > 0) throw std::runtime_error(std::to_string(from));
                                        }),
                      "1");
  std::atomic<int> calls{0};
  pool.parallel_for(
      3, 1, [&](std::size_t, std::size_t) { pool.parallel_for(2, 1, [&](std::size_t, std::size_t) { ++calls; }); });
  CHECK(calls == 3);  // nested jobs run inline, as one chunk
}
