// Greedy placement in several orders, improved by random exchanges; then branch and bound over the ways in which pairs
// stand, as in disjunctive scheduling (Carlier and Pinson 1989): `head` is the lowest offset that the decisions so far
// allow an item, `tail` the least distance from its offset to the end of the range. A way that would need more than
// the limit is out; a pair with one way left is decided. The limit is found by bisection between the bound and the best
// placement known; work is counted, not timed, so that a program always gets the same plan.
#include "lib/device/placement.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <random>

namespace tinyml {
namespace {

constexpr std::int64_t kGreedyWork = 1'000'000;   // visits of a pair in exchanges: about 10 ms
constexpr std::int64_t kSearchWork = 6'000'000;   // visits of a pair in branch and bound: about 40 ms
constexpr std::size_t kMostPairsSearched = 2000;  // beyond, the decisions on the way down take too much memory

std::int64_t round_up(std::int64_t value, std::int64_t to) {
  const std::int64_t rest = value % to;  // negative for a negative value, which then is rounded towards zero: up
  return rest > 0 ? value + to - rest : value - rest;
}

// ---- greedy ---------------------------------------------------------------------------------------------------------

class Greedy {
 public:
  explicit Greedy(const PlacementProblem& problem) : problem_(problem), pairs_of_(problem.sizes.size()) {
    for (const PlacementPair& pair : problem.pairs) {
      pairs_of_[index(pair.a)].push_back({index(pair.b), pair.b_below, pair.a_below, negative(pair.shift)});
      pairs_of_[index(pair.b)].push_back({index(pair.a), pair.a_below, pair.b_below, pair.shift});
    }
  }

  // Each item at the lowest offset that those placed before it allow.
  std::int64_t run(const std::vector<int>& order, std::vector<std::int64_t>& offsets) {
    offsets.assign(problem_.sizes.size(), -1);
    std::int64_t end = 0;
    for (const int item : order) {
      offsets[index(item)] = lowest(index(item), offsets);
      end = std::max(end, offsets[index(item)] + problem_.sizes[index(item)]);
    }
    return end;
  }

 private:
  struct Neighbour {
    std::size_t item;
    std::int64_t above, below;          // this item may stand at other + above or higher, or at other - below or lower
    std::optional<std::int64_t> shift;  // or at exactly other + shift
  };
  struct Gap {
    std::int64_t begin, end;  // offsets strictly between are forbidden
  };

  static std::size_t index(int item) { return static_cast<std::size_t>(item); }
  static std::optional<std::int64_t> negative(std::optional<std::int64_t> shift) {
    return shift ? std::optional(-*shift) : shift;
  }

  std::int64_t lowest(std::size_t item, const std::vector<std::int64_t>& offsets) {
    forbidden_.clear();
    for (const Neighbour& n : pairs_of_[item])
      if (offsets[n.item] >= 0) forbidden_.push_back({offsets[n.item] - n.below, offsets[n.item] + n.above});
    std::sort(forbidden_.begin(), forbidden_.end(), [](const Gap& a, const Gap& b) { return a.begin < b.begin; });
    std::int64_t at = 0;
    for (const Gap& gap : forbidden_)
      if (at > gap.begin && at < gap.end) at = gap.end;
    for (const Neighbour& n : pairs_of_[item]) {
      if (!n.shift || offsets[n.item] < 0) continue;
      const std::int64_t exact = offsets[n.item] + *n.shift;
      if (exact >= 0 && exact < at && allowed(item, exact, offsets)) at = exact;
    }
    return at;
  }

  bool allowed(std::size_t item, std::int64_t at, const std::vector<std::int64_t>& offsets) const {
    return std::all_of(pairs_of_[item].begin(), pairs_of_[item].end(), [&](const Neighbour& n) {
      const std::int64_t other = offsets[n.item];
      return other < 0 || at <= other - n.below || at >= other + n.above || (n.shift && at == other + *n.shift);
    });
  }

  const PlacementProblem& problem_;
  std::vector<std::vector<Neighbour>> pairs_of_;
  std::vector<Gap> forbidden_;
};

// ---- branch and bound -----------------------------------------------------------------------------------------------

class Branching {
 public:
  explicit Branching(const PlacementProblem& problem)
      : problem_(problem), edges_(problem.sizes.size()), back_edges_(problem.sizes.size()) {}

  enum class Answer : std::uint8_t { found, impossible, gave_up };

  // Is there a placement of at most `limit` bytes? Visits at most `work` pairs.
  Answer run(std::int64_t limit, std::int64_t work) {
    limit_ = limit;
    work_ = work;
    head_.assign(problem_.sizes.size(), 0);
    tail_ = problem_.sizes;
    for (auto& list : edges_) list.clear();
    for (auto& list : back_edges_) list.clear();
    if (std::any_of(tail_.begin(), tail_.end(), [&](std::int64_t size) { return size > limit; }))
      return Answer::impossible;
    std::vector<std::size_t> open(problem_.pairs.size());
    std::iota(open.begin(), open.end(), std::size_t{0});
    return branch(std::move(open));
  }

  const std::vector<std::int64_t>& offsets() const { return head_; }
  std::int64_t work_left() const { return work_; }

 private:
  struct Edge {
    int from, to;
    std::int64_t length;  // offset[from] + length <= offset[to]
  };
  struct Way {
    std::array<Edge, 2> edges;
    int count = 0;
    std::int64_t estimate = 0;  // what the range needs if the pair stands like this
  };
  struct Mark {
    std::vector<std::int64_t> head, tail;
    std::size_t decided;
  };

  static std::size_t at(int item) { return static_cast<std::size_t>(item); }

  // The ways that fit, the most promising first.
  int ways_of(const PlacementPair& pair, std::array<Way, 3>& ways) {
    --work_;
    int count = 0;
    const auto offer = [&](Way way) {
      for (int i = 0; i < way.count; ++i) {
        const Edge& e = way.edges[at(i)];
        way.estimate = std::max(way.estimate, head_[at(e.from)] + e.length + tail_[at(e.to)]);
      }
      if (way.estimate > limit_) return;
      int place = count++;
      for (; place > 0 && ways[at(place - 1)].estimate > way.estimate; --place) ways[at(place)] = ways[at(place - 1)];
      ways[at(place)] = way;
    };
    if (pair.shift) offer({{Edge{pair.a, pair.b, *pair.shift}, Edge{pair.b, pair.a, -*pair.shift}}, 2});
    offer({{Edge{pair.a, pair.b, pair.a_below}}, 1});
    offer({{Edge{pair.b, pair.a, pair.b_below}}, 1});
    return count;
  }

  bool decide(const Way& way) {
    for (int i = 0; i < way.count; ++i) {
      const Edge& e = way.edges[at(i)];
      edges_[at(e.from)].push_back(e);
      back_edges_[at(e.to)].push_back(e);
      decided_.push_back(e);
    }
    for (int i = 0; i < way.count; ++i)
      if (!push_heads(way.edges[at(i)]) || !push_tails(way.edges[at(i)])) return false;
    return true;
  }

  // Follows an increase through the decisions; false when the limit is passed, or they contradict each other (an item
  // raised more often than there are items is on a cycle).
  bool push_heads(const Edge& first) {
    return push(first.from, edges_, head_, tail_, [](const Edge& e) { return e.to; });
  }
  bool push_tails(const Edge& first) {
    return push(first.to, back_edges_, tail_, head_, [](const Edge& e) { return e.from; });
  }

  template <typename Target>
  bool push(int start, const std::vector<std::vector<Edge>>& edges, std::vector<std::int64_t>& values,
            const std::vector<std::int64_t>& others, Target target) {
    queue_.assign(1, start);
    raised_.assign(values.size(), 0);
    for (std::size_t next = 0; next < queue_.size(); ++next) {
      const std::size_t from = at(queue_[next]);
      for (const Edge& e : edges[from]) {
        const std::size_t to = at(target(e));
        if (values[from] + e.length <= values[to]) continue;
        values[to] = values[from] + e.length;
        if (values[to] + others[to] > limit_ || ++raised_[to] > values.size()) return false;
        queue_.push_back(static_cast<int>(to));
        --work_;
      }
    }
    return true;
  }

  // Decides all pairs that have one way left; false when one has none. The others stay in `open`.
  bool propagate(std::vector<std::size_t>& open) {
    for (bool changed = true; changed && work_ > 0;) {
      changed = false;
      std::size_t kept = 0;
      for (std::size_t i = 0; i < open.size(); ++i) {
        std::array<Way, 3> ways;
        const PlacementPair& pair = problem_.pairs[open[i]];
        const int count = ways_of(pair, ways);
        if (count == 0) return false;
        if (count > 1) {
          open[kept++] = open[i];
          continue;
        }
        if (!decide(ways[0])) return false;
        changed = true;
      }
      open.resize(kept);
    }
    return true;
  }

  // The pair whose best way needs most: it decides more than others.
  std::size_t hardest(const std::vector<std::size_t>& open) {
    std::size_t best = 0;
    std::int64_t most = -1;
    for (std::size_t i = 0; i < open.size(); ++i) {
      std::array<Way, 3> ways;
      const int count = ways_of(problem_.pairs[open[i]], ways);
      std::int64_t need = 0;
      for (int k = 0; k < count; ++k) need += ways[at(k)].estimate;
      if (count > 0 && need / count > most) {
        most = need / count;
        best = i;
      }
    }
    return best;
  }

  // All open pairs hold as the items stand: the heads are a placement.
  bool complete(const std::vector<std::size_t>& open) const {
    return std::all_of(open.begin(), open.end(), [&](std::size_t i) {
      const PlacementPair& pair = problem_.pairs[i];
      const std::int64_t a = head_[at(pair.a)], b = head_[at(pair.b)];
      return a + pair.a_below <= b || b + pair.b_below <= a || (pair.shift && a + *pair.shift == b);
    });
  }

  Answer branch(std::vector<std::size_t> open) {
    if (!propagate(open)) return Answer::impossible;
    if (open.empty() || complete(open)) return Answer::found;
    if (work_ <= 0) return Answer::gave_up;
    const std::size_t chosen = hardest(open);
    std::array<Way, 3> ways;
    const int count = ways_of(problem_.pairs[open[chosen]], ways);
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(chosen));
    const Mark mark{head_, tail_, decided_.size()};
    for (int k = 0; k < count; ++k) {
      const Answer answer = decide(ways[at(k)]) ? branch(open) : Answer::impossible;
      if (answer != Answer::impossible) return answer;
      restore(mark);
    }
    return Answer::impossible;
  }

  void restore(const Mark& mark) {
    head_ = mark.head;
    tail_ = mark.tail;
    for (; decided_.size() > mark.decided; decided_.pop_back()) {
      edges_[at(decided_.back().from)].pop_back();
      back_edges_[at(decided_.back().to)].pop_back();
    }
  }

  const PlacementProblem& problem_;
  std::int64_t limit_ = 0, work_ = 0;
  std::vector<std::int64_t> head_, tail_;
  std::vector<std::vector<Edge>> edges_, back_edges_;
  std::vector<Edge> decided_;
  std::vector<int> queue_;
  std::vector<std::size_t> raised_;
};

// ---- all of it
// --------------------------------------------------------------------------------------------------------

class Search {
 public:
  Search(const PlacementProblem& problem, std::int64_t bound) : problem_(problem), greedy_(problem) {
    best_.bytes = INT64_MAX;
    best_.lower_bound = bound;
  }

  Placement run(std::span<const std::vector<int>> orders) {
    for (const std::vector<int>& order : orders) attempt(order);
    exchange();
    if (problem_.pairs.size() <= kMostPairsSearched) bisect();
    return std::move(best_);
  }

 private:
  void attempt(const std::vector<int>& order) {
    std::vector<std::int64_t> offsets;
    const std::int64_t bytes = greedy_.run(order, offsets);
    if (bytes >= best_.bytes) return;
    best_.bytes = bytes;
    best_.offsets = std::move(offsets);
    order_ = order;
  }

  // Swaps two items of the best order at random; a fixed seed makes the plan reproducible.
  void exchange() {
    const std::size_t n = order_.size();
    if (n < 3) return;
    const auto cost = static_cast<std::int64_t>(n + problem_.pairs.size());
    std::minstd_rand random(1);
    for (std::int64_t left = std::min<std::int64_t>(500, kGreedyWork / cost); left > 0; --left) {
      if (best_.bytes <= best_.lower_bound) return;
      std::vector<int> order = order_;
      std::swap(order[random() % n], order[random() % n]);
      attempt(order);
    }
  }

  void bisect() {
    Branching branching(problem_);
    std::int64_t low = best_.lower_bound, budget = kSearchWork;
    bool proven = true;  // nothing below `low` exists
    for (bool is_first = true; low < best_.bytes && budget > 0; is_first = false) {
      // First the bound itself, which is often met.
      const std::int64_t limit = is_first ? low : low + (best_.bytes - 1 - low) / 2;
      const std::int64_t work = std::max<std::int64_t>(budget / 4, 1);
      const Branching::Answer answer = branching.run(limit, work);
      budget -= work - branching.work_left();
      if (answer == Branching::Answer::found) {
        accept(branching.offsets());
        continue;
      }
      low = limit + 1;
      proven = proven && answer == Branching::Answer::impossible;
      if (proven) best_.lower_bound = low;
    }
  }

  void accept(const std::vector<std::int64_t>& offsets) {
    best_.offsets = offsets;
    best_.bytes = 0;
    for (std::size_t i = 0; i < offsets.size(); ++i)
      best_.bytes = std::max(best_.bytes, offsets[i] + problem_.sizes[i]);
  }

  const PlacementProblem& problem_;
  Greedy greedy_;
  Placement best_;
  std::vector<int> order_;
};

}  // namespace

Placement place_items(const PlacementProblem& problem, std::span<const std::vector<int>> orders, std::int64_t bound) {
  PlacementProblem aligned = problem;
  for (PlacementPair& pair : aligned.pairs) {
    pair.a_below = round_up(pair.a_below, problem.alignment);
    pair.b_below = round_up(pair.b_below, problem.alignment);
  }
  return Search(aligned, bound).run(orders);
}

}  // namespace tinyml
