// The execution order of steps that needs least memory at once. Used by ProgramBuilder before the arena is planned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tinyml {

struct OrderStep {
  std::vector<int> reads, writes;                    // buffers; one that is read and written is among the writes
  std::vector<std::pair<int, std::int64_t>> shares;  // buffer, and how much of it the output may share if it dies here
};

struct OrderProblem {
  std::vector<std::int64_t> sizes;   // of the buffers
  std::vector<OrderStep> steps;      // in an order that works
  std::vector<int> inputs, outputs;  // alive before the first step, and after the last
};

// The bytes that the largest step needs at once, in this order.
std::int64_t order_peak(const OrderProblem& problem, const std::vector<int>& order);

// A permutation of the steps; the given order where none is better. Steps that touch a buffer which one of them writes
// keep their order. Exact as long as few sets of steps can have been done at each point, else the best found.
std::vector<int> order_steps(const OrderProblem& problem);

}  // namespace tinyml
