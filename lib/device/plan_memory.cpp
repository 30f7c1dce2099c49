// Buffers (with their parts) that are alive in the same step become pairs of a placement problem: disjoint, unless one
// of them is the output that the step may write into the other, its dying input. Buffers that never meet share
// addresses freely. Of a buffer with parts each segment has a lifetime of its own, so that bands of rows may be written
// where the rows of another buffer have been consumed; only the segments that meet must be disjoint.
#include "lib/device/plan_memory.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "lib/device/placement.h"
#include "lib/device/segments.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::int64_t bytes_of(const ProgramBuffer& buffer) { return static_cast<std::int64_t>(buffer.span()); }

bool meet(const Segment& a, const Segment& b) { return a.first_step <= b.last_step && b.first_step <= a.last_step; }

// A relation that holds in this order of steps: its input dies in the very step that writes its output.
struct Relation {
  int from = 0, to = 0;  // buffers
  std::vector<std::int64_t> distances;
  bool exact = false;
  int step = 0;
};

class Planner {
 public:
  Planner(const Program& program, std::span<const InPlace> in_place)
      : buffers_(program.buffers), segments_(segments_of(program.buffers)), of_root_(buffers_.size()) {
    for (std::size_t s = 0; s < segments_.all.size(); ++s) of_root_[at(segments_.all[s].root)].push_back(s);
    buffers_over_.resize(segments_.all.size());
    for (std::size_t b = 0; b < buffers_.size(); ++b)
      for (const int s : segments_.of_buffer[b]) buffers_over_[at(s)].push_back(static_cast<int>(b));
    for (const InPlace& pair : in_place) note(pair);
    make_pairs();
  }

  const PlacementProblem& problem() const { return problem_; }

  // Over all steps in which a segment starts (the live set only grows there).
  std::int64_t bound() const {
    std::map<int, std::int64_t> need;
    for (const Segment& start : segments_.all) need[start.first_step] = 0;
    for (const Segment& s : segments_.all)
      for (auto it = need.lower_bound(s.first_step); it != need.end() && it->first <= s.last_step; ++it)
        it->second += s.end - s.begin;
    for (const auto& [buffers, relation] : relations_) need[relation.step] -= most_shared(relation);
    std::int64_t bound = 0;
    for (const std::int64_t size : problem_.sizes) bound = std::max(bound, size);
    for (const auto& [step, bytes] : need) bound = std::max(bound, bytes);
    return bound;
  }

 private:
  const ProgramBuffer& buffer(int b) const { return buffers_[at(b)]; }
  std::int64_t part_offset(int b) const { return static_cast<std::int64_t>(buffer(b).part_offset); }
  bool is_over(int b, const Segment& s) const {
    return part_offset(b) <= s.begin && s.end <= part_offset(b) + bytes_of(buffer(b));
  }

  void note(const InPlace& pair) {
    const ProgramBuffer &from = buffer(pair.from), &to = buffer(pair.to);
    if (root_of(buffers_, pair.from) == root_of(buffers_, pair.to)) return;
    if (from.bytes == 0 || to.bytes == 0 || from.last_step != to.first_step) return;
    Relation& relation = relations_[{pair.from, pair.to}];
    relation.from = pair.from;
    relation.to = pair.to;
    relation.step = to.first_step;
    if (pair.distance)
      relation.distances.push_back(*pair.distance);
    else
      relation.exact = true;
  }

  // Do the two meet in the step of the relation alone, as parts of its input and its output, and does the step read no
  // other buffer there?
  bool excuses(const Relation& relation, const Segment& input, const Segment& output) const {
    return is_over(relation.from, input) && is_over(relation.to, output) && input.last_step == relation.step &&
           output.first_step == relation.step && input.first_step < relation.step &&
           std::none_of(buffers_over_[index_of(input)].begin(), buffers_over_[index_of(input)].end(), [&](int b) {
             return b != relation.from && buffer(b).first_step <= relation.step && relation.step <= buffer(b).last_step;
           });
  }
  std::size_t index_of(const Segment& s) const { return static_cast<std::size_t>(&s - segments_.all.data()); }

  std::int64_t most_shared(const Relation& relation) const {
    const std::int64_t from = bytes_of(buffer(relation.from)), to = bytes_of(buffer(relation.to));
    std::int64_t most = relation.exact ? shared_bytes({0, 0, std::nullopt}, from, to) : 0;
    for (const std::int64_t distance : relation.distances)
      most = std::max(most, shared_bytes({0, 0, distance}, from, to));
    return most;
  }

  bool is_used(std::size_t root) const {
    return std::any_of(of_root_[root].begin(), of_root_[root].end(),
                       [&](std::size_t s) { return segments_.all[s].first_step <= segments_.all[s].last_step; });
  }

  void make_pairs() {
    problem_.alignment = TML_ARENA_ALIGN;
    for (std::size_t b = 0; b < buffers_.size(); ++b)
      problem_.sizes.push_back(buffers_[b].part_of < 0 && is_used(b) ? bytes_of(buffers_[b]) : 0);
    for (const auto& [buffers, relation] : relations_) {
      const int from = root_of(buffers_, relation.from), to = root_of(buffers_, relation.to);
      between_[{from, to}].push_back(&relation);
    }
    std::set<std::pair<int, int>> met;
    std::vector<std::size_t> by_start(segments_.all.size()), alive;
    std::iota(by_start.begin(), by_start.end(), std::size_t{0});
    const auto& all = segments_.all;
    std::erase_if(by_start, [&](std::size_t s) { return all[s].first_step > all[s].last_step; });
    std::stable_sort(by_start.begin(), by_start.end(),
                     [&](std::size_t a, std::size_t b) { return all[a].first_step < all[b].first_step; });
    for (const std::size_t b : by_start) {
      std::erase_if(alive, [&](std::size_t a) { return all[a].last_step < all[b].first_step; });
      for (const std::size_t a : alive)
        if (all[a].root != all[b].root && met.insert(std::minmax(all[a].root, all[b].root)).second)
          problem_.pairs.push_back(pair_of(all[a].root, all[b].root));
      alive.push_back(b);
    }
  }

  using List = std::vector<const Relation*>;
  const List& relations_from(int from, int to) const {
    static const List kNone;
    const auto it = between_.find({from, to});
    return it == between_.end() ? kNone : it->second;
  }

  template <class Visit>
  void for_each_meeting(int a, int b, const Visit& visit) const {
    for (const std::size_t i : of_root_[at(a)])
      for (const std::size_t j : of_root_[at(b)])
        if (meet(segments_.all[i], segments_.all[j])) visit(segments_.all[i], segments_.all[j]);
  }

  // The least d such that `low` may stand at offset[low] + d <= offset[high].
  std::int64_t below(int low, int high) const {
    std::int64_t distance = std::numeric_limits<std::int64_t>::min();
    for_each_meeting(low, high, [&](const Segment& l, const Segment& h) {
      std::int64_t least = l.end - h.begin;
      for (const Relation* r : relations_from(high, low))
        for (const std::int64_t d : r->distances)
          if (excuses(*r, h, l)) least = std::min(least, part_offset(r->to) + d - part_offset(r->from));
      distance = std::max(distance, least);
    });
    return distance;
  }

  // May offset[a] + shift == offset[b] hold? Each pair of segments that meets must be apart, or excused as they stand.
  bool may_stand(int a, int b, std::int64_t shift) const {
    bool possible = true;
    for_each_meeting(a, b, [&](const Segment& x, const Segment& y) {
      bool fine = x.end <= y.begin + shift || y.end + shift <= x.begin;
      for (const Relation* r : relations_from(a, b)) {
        const std::int64_t output = part_offset(r->to) + shift, input = part_offset(r->from);
        fine = fine || (excuses(*r, x, y) && ((r->exact && output == input) || at_distance(*r, output, input)));
      }
      for (const Relation* r : relations_from(b, a)) {
        const std::int64_t output = part_offset(r->to), input = part_offset(r->from) + shift;
        fine = fine || (excuses(*r, y, x) && ((r->exact && output == input) || at_distance(*r, output, input)));
      }
      possible = possible && fine;
    });
    return possible;
  }

  static bool at_distance(const Relation& relation, std::int64_t output, std::int64_t input) {
    return std::any_of(relation.distances.begin(), relation.distances.end(),
                       [&](std::int64_t d) { return output + d <= input; });
  }

  std::optional<std::int64_t> exact_shift(int a, int b) const {
    std::set<std::int64_t> shifts;
    for (const Relation* r : relations_from(a, b))
      if (r->exact) shifts.insert(part_offset(r->from) - part_offset(r->to));
    for (const Relation* r : relations_from(b, a))
      if (r->exact) shifts.insert(part_offset(r->to) - part_offset(r->from));
    for (const std::int64_t shift : shifts)
      if (shift % TML_ARENA_ALIGN == 0 && may_stand(a, b, shift)) return shift;
    return std::nullopt;
  }

  PlacementPair pair_of(int a, int b) const { return {a, b, below(a, b), below(b, a), exact_shift(a, b)}; }

  const std::vector<ProgramBuffer>& buffers_;
  Segments segments_;
  std::vector<std::vector<std::size_t>> of_root_;      // segments by root
  std::vector<std::vector<int>> buffers_over_;         // by segment
  std::map<std::pair<int, int>, Relation> relations_;  // by input and output
  std::map<std::pair<int, int>, List> between_;        // by their roots
  PlacementProblem problem_;
};

// Largest first is nearly always good for chains, the others win on branching graphs; the last step first lets the
// inputs of raster kernels stand above what they become.
std::vector<std::vector<int>> orders_of(const Program& program) {
  const auto lifetime = [](const ProgramBuffer& b) { return static_cast<std::size_t>(b.last_step - b.first_step + 1); };
  const std::function<bool(const ProgramBuffer&, const ProgramBuffer&)> befores[] = {
      [](const auto& a, const auto& b) { return a.bytes > b.bytes; },
      [&](const auto& a, const auto& b) { return a.bytes * lifetime(a) > b.bytes * lifetime(b); },
      [](const auto& a, const auto& b) { return a.first_step < b.first_step; },
      [](const auto& a, const auto& b) { return a.last_step > b.last_step; },
      [&](const auto& a, const auto& b) { return lifetime(a) > lifetime(b); },
  };
  std::vector<std::vector<int>> orders;
  for (const auto& before : befores) {
    std::vector<int>& order = orders.emplace_back(program.buffers.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return before(program.buffers[at(a)], program.buffers[at(b)]); });
  }
  return orders;
}

}  // namespace

std::int64_t shared_bytes(const InPlace& relation, std::int64_t from_bytes, std::int64_t to_bytes) {
  if (from_bytes == 0 || to_bytes == 0) return 0;
  if (!relation.distance) return std::min(from_bytes, to_bytes);
  const std::int64_t together = std::max({from_bytes, to_bytes, *relation.distance + from_bytes});
  return std::max<std::int64_t>(0, from_bytes + to_bytes - together);
}

void plan_memory(Program& program, std::span<const InPlace> in_place, std::size_t enough) {
  program.arena_bytes = program.arena_bound = 0;
  if (program.buffers.empty()) return;
  const Planner planner(program, in_place);
  const std::int64_t bound = std::max(planner.bound(), static_cast<std::int64_t>(enough));
  const Placement placement = place_items(planner.problem(), orders_of(program), bound);
  for (std::size_t i = 0; i < program.buffers.size(); ++i) {
    ProgramBuffer& buffer = program.buffers[i];
    buffer.offset = static_cast<std::size_t>(placement.offsets[at(root_of(program.buffers, static_cast<int>(i)))]) +
                    buffer.part_offset;
  }
  program.arena_bytes = static_cast<std::size_t>(placement.bytes);
  program.arena_bound = static_cast<std::size_t>(placement.lower_bound);
}

std::size_t live_bytes_bound(const Program& program, std::span<const InPlace> in_place) {
  return static_cast<std::size_t>(Planner(program, in_place).bound());
}

}  // namespace tinyml
