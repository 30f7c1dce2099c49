// Greedy placement by several orders, the best taken: the largest first is nearly always optimal for chains, the others
// win on branching graphs. Then a bounded, deterministic search over the order, as long as the bound is not met.
// Buffers that are written in place of another are one unit with the joined lifetime.
#include "lib/device/plan_memory.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {
namespace {

struct Unit {
  std::size_t bytes = 0, offset = 0;
  int first = 0, last = 0;
  bool overlaps(const Unit& other) const { return first <= other.last && other.first <= last; }
};

struct Units {
  std::vector<Unit> list;
  std::vector<std::size_t> of_buffer;
};

// Joins `to` into the unit of `from`, one step after the other, where that costs nothing: the same size, and every
// buffer of the unit dead by the time `to` is written.
Units make_units(const Program& program, std::span<const InPlace> in_place) {
  Units units;
  for (const ProgramBuffer& buffer : program.buffers) {
    units.of_buffer.push_back(units.list.size());
    units.list.push_back({buffer.bytes, 0, buffer.first_step, buffer.last_step});
  }
  std::vector<bool> absorbed(units.list.size(), false);
  for (const InPlace& pair : in_place) {
    const std::size_t from = units.of_buffer[static_cast<std::size_t>(pair.from)];
    const std::size_t to = units.of_buffer[static_cast<std::size_t>(pair.to)];
    Unit& source = units.list[from];
    Unit& target = units.list[to];
    if (from == to || source.bytes != target.bytes || source.last != target.first) continue;
    source.last = target.last;
    absorbed[to] = true;
    std::replace(units.of_buffer.begin(), units.of_buffer.end(), to, from);
  }
  // Drop the absorbed units, keeping indices dense.
  std::vector<std::size_t> dense(units.list.size(), 0);
  std::vector<Unit> kept;
  for (std::size_t i = 0; i < units.list.size(); ++i) {
    dense[i] = kept.size();
    if (!absorbed[i]) kept.push_back(units.list[i]);
  }
  for (std::size_t& unit : units.of_buffer) unit = dense[unit];
  units.list = std::move(kept);
  return units;
}

std::size_t align(std::size_t at) { return (at + TML_ARENA_ALIGN - 1) / TML_ARENA_ALIGN * TML_ARENA_ALIGN; }

std::size_t bound_of(const std::vector<Unit>& units) {
  std::size_t bound = 0;
  for (const Unit& at : units) {  // the live set only grows where a unit starts
    std::size_t sum = 0;
    for (const Unit& unit : units)
      if (unit.first <= at.first && at.first <= unit.last) sum += unit.bytes;
    bound = std::max(bound, sum);
  }
  return bound;
}

// Places units in this order, each into the smallest gap between those placed that it fits; returns the peak.
std::size_t place(std::vector<Unit>& units, const std::vector<std::size_t>& order) {
  std::vector<const Unit*> placed;  // by offset
  std::vector<const Unit*> rivals;
  std::size_t peak = 0;
  for (const std::size_t index : order) {
    Unit& unit = units[index];
    rivals.clear();
    std::copy_if(placed.begin(), placed.end(), std::back_inserter(rivals),
                 [&](const Unit* other) { return other->overlaps(unit); });
    std::size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (const Unit* rival : rivals) {
      if (rival->offset >= end + unit.bytes && rival->offset - end < best_gap) {
        best = end;
        best_gap = rival->offset - end;
      }
      end = std::max(end, align(rival->offset + rival->bytes));
    }
    unit.offset = best == SIZE_MAX ? end : best;
    peak = std::max(peak, unit.offset + unit.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &unit,
                                   [](const Unit* a, const Unit* b) { return a->offset < b->offset; }),
                  &unit);
  }
  return peak;
}

class Search {
 public:
  explicit Search(std::vector<Unit>& units) : units_(units), bound_(bound_of(units)) {}

  void run() {
    const auto lifetime = [](const Unit& u) { return static_cast<std::size_t>(u.last - u.first + 1); };
    const std::function<bool(const Unit&, const Unit&)> orders[] = {
        [](const Unit& a, const Unit& b) { return a.bytes > b.bytes; },
        [&](const Unit& a, const Unit& b) { return a.bytes * lifetime(a) > b.bytes * lifetime(b); },
        [](const Unit& a, const Unit& b) { return a.first < b.first; },
        [&](const Unit& a, const Unit& b) { return lifetime(a) > lifetime(b); },
    };
    for (const auto& before : orders) {
      std::vector<std::size_t> order(units_.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return before(units_[a], units_[b]); });
      attempt(order);
    }
    improve();
    for (std::size_t i = 0; i < units_.size(); ++i) units_[i].offset = best_offsets_[i];
  }

  std::size_t peak() const { return best_; }

 private:
  bool attempt(const std::vector<std::size_t>& order) {
    const std::size_t peak = place(units_, order);
    if (peak >= best_) return false;
    best_ = peak;
    best_order_ = order;
    best_offsets_.clear();
    for (const Unit& unit : units_) best_offsets_.push_back(unit.offset);
    return true;
  }

  // Swaps two units of the best order at random; a fixed seed makes the plan reproducible.
  void improve() {
    constexpr std::size_t kWork = 4'000'000;  // about a tenth of a second at most
    const std::size_t n = units_.size();
    if (n < 3) return;
    const std::size_t rounds = std::min<std::size_t>(2000, kWork / (n * n));
    std::minstd_rand random(1);
    for (std::size_t i = 0; i < rounds && best_ > bound_; ++i) {
      std::vector<std::size_t> order = best_order_;
      std::swap(order[random() % n], order[random() % n]);
      attempt(order);
    }
  }

  std::vector<Unit>& units_;
  std::size_t bound_, best_ = SIZE_MAX;
  std::vector<std::size_t> best_order_, best_offsets_;
};

}  // namespace

void plan_memory(Program& program, std::span<const InPlace> in_place) {
  program.arena_bytes = 0;
  if (program.buffers.empty()) return;
  Units units = make_units(program, in_place);
  Search search(units.list);
  search.run();
  for (std::size_t i = 0; i < program.buffers.size(); ++i)
    program.buffers[i].offset = units.list[units.of_buffer[i]].offset;
  program.arena_bytes = search.peak();
}

std::size_t live_bytes_bound(const Program& program, std::span<const InPlace> in_place) {
  return bound_of(make_units(program, in_place).list);
}

}  // namespace tinyml
