// Estimates are cheap and leave out scratch, alignment and how places fit together, so the most promising choices are
// lowered and planned in earnest: first those that cost least among the ones that should fit, just so or with some room
// for scratch, then, if none did, those that should be smallest.
#include "lib/device/band_search.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "lib/ops/counts.h"
#include "lib/ops/op_def.h"

namespace tinyml {
namespace {

constexpr std::size_t kMostTries = 6;  // of each kind
constexpr double kGoodEnough = 1.005;  // of the fastest program's instructions

std::size_t at(ValueId id) { return static_cast<std::size_t>(id); }

bool is_view(const std::string& op) { return op == "Identity" || op == "Transpose" || find_op(op)->reshapes; }

// The graph as the estimate sees it: groups that read and write buffers.
class Estimate {
 public:
  Estimate(const Graph& graph, const std::vector<NodeGroup>& groups) : graph_(graph), groups_(groups) {
    buffer_.resize(graph.value_capacity());
    last_use_.assign(graph.value_capacity(), -1);
    last_reader_.assign(graph.value_capacity(), 0);
    for (std::size_t v = 0; v < buffer_.size(); ++v) buffer_[v] = static_cast<ValueId>(v);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const std::vector<ValueId> inputs = inputs_of(g);
      const std::string& op = graph.node(groups[g].nodes[0]).op;
      if (is_view(op) && !inputs.empty()) buffer_[at(output_of(g))] = buffer(inputs[0]);
      for (const ValueId input : inputs)
        last_use_[at(buffer(input))] = static_cast<int>(g), last_reader_[at(input)] = g;
      macs_.push_back(macs_of(g));
    }
    for (const ValueId id : graph.outputs()) last_use_[at(buffer(id))] = static_cast<int>(groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) outside_.push_back(need_of(g));
  }

  std::int64_t without_bands() const { return *std::max_element(outside_.begin(), outside_.end()); }

  // The first and the last group that need that much: a stage that leaves one out saves nothing.
  std::pair<std::size_t, std::size_t> peak() const {
    const auto first = std::find(outside_.begin(), outside_.end(), without_bands());
    const auto last = std::find(outside_.rbegin(), outside_.rend(), without_bands());
    return {static_cast<std::size_t>(first - outside_.begin()), static_cast<std::size_t>(outside_.rend() - last) - 1};
  }

  BandChoice choice(const BandRegion& region, std::int64_t rows) const {
    BandChoice choice{region, rows, 0, 0};
    std::int64_t most = 0;
    for (std::size_t g = 0; g < groups_.size(); ++g)
      if (g < region.first || g > region.last) most = std::max(most, outside_[g]);
    const auto bands = band_rows(rows_of(graph_, region.output), rows);
    // Bands between the ends are alike.
    const std::size_t count = bands.size(), end = count - 1;
    double macs = 0;
    for (const std::size_t b : std::set<std::size_t>{0, 1, end / 2, end - 1, end}) {
      const auto needed = rows_needed(graph_, groups_, region, bands[b]);
      const std::int64_t next = b < end ? rows_needed(graph_, groups_, region, bands[b + 1]).at(region.input).begin
                                        : rows_of(graph_, region.input);
      most = std::max(most, need_of_band(region, needed, bands[b], next));
      const double times = b == end / 2 && count > 2 ? static_cast<double>(count) - 2 : 1;
      if (b != 0 && b != end && b != end / 2) continue;
      for (std::size_t g = region.first; g <= region.last; ++g) macs += times * macs_[g] * share(needed, output_of(g));
    }
    for (std::size_t g = region.first; g <= region.last; ++g) macs -= macs_[g];
    choice.arena_estimate = static_cast<std::size_t>(most);
    choice.extra_macs = static_cast<std::int64_t>(macs);
    return choice;
  }

 private:
  ValueId buffer(ValueId id) const { return buffer_[at(id)]; }
  ValueId output_of(std::size_t g) const { return graph_.node(groups_[g].nodes.back()).outputs[0]; }

  std::int64_t bytes(ValueId id) const {
    const TensorType& type = graph_.value(id).type;
    if (!type.shape || !is_static(*type.shape)) return 0;
    return element_count(to_dims(*type.shape)) *
           static_cast<std::int64_t>(is_float(type.dtype) ? 1 : byte_size(type.dtype));
  }

  std::vector<ValueId> inputs_of(std::size_t g) const {
    std::vector<ValueId> inputs;
    for (const ValueId id : graph_.node(groups_[g].nodes[0]).inputs)
      if (id != ValueId::none && !graph_.value(id).constant &&
          std::find(inputs.begin(), inputs.end(), id) == inputs.end())
        inputs.push_back(id);
    return inputs;
  }

  double macs_of(std::size_t g) const {
    double macs = 0;
    for (const NodeId id : groups_[g].nodes)
      if (const OpDef* op = find_op(graph_.node(id).op); op->macs != nullptr)
        macs += static_cast<double>(op->macs(NodeView(graph_, graph_.node(id))));
    return macs;
  }

  std::set<ValueId> alive_at(std::size_t g) const {
    std::set<ValueId> alive;
    for (const ValueId id : graph_.inputs())
      if (last_use_[at(buffer(id))] >= static_cast<int>(g)) alive.insert(buffer(id));
    for (std::size_t before = 0; before < g; ++before)
      if (const ValueId b = buffer(output_of(before)); last_use_[at(b)] >= static_cast<int>(g)) alive.insert(b);
    return alive;
  }

  std::int64_t need_of(std::size_t g) const {
    std::set<ValueId> alive = alive_at(g);
    std::int64_t sum = 0, shared = 0;
    const ValueId output = buffer(output_of(g));
    for (const ValueId id : inputs_of(g))
      if (last_use_[at(buffer(id))] == static_cast<int>(g) && buffer(id) != output)
        shared = std::max(shared, std::min(bytes(buffer(id)), bytes(output)));
    alive.insert(output);
    for (const ValueId id : alive) sum += bytes(id);
    return sum - shared;
  }

  double share(const std::map<ValueId, RowRange>& needed, ValueId id) const {
    return static_cast<double>(needed.at(id).rows()) / static_cast<double>(rows_of(graph_, id));
  }
  std::int64_t bytes_of_rows(ValueId id, std::int64_t rows) const { return bytes(id) / rows_of(graph_, id) * rows; }

  // While a band runs: what lives around the region, the rows of its input that are still to be read, the rows of its
  // output that are there, and what the band holds itself.
  std::int64_t need_of_band(const BandRegion& region, const std::map<ValueId, RowRange>& needed, RowRange out,
                            std::int64_t next_row) const {
    std::int64_t around = 0;
    const bool input_stays = last_use_[at(buffer(region.input))] > static_cast<int>(region.last);
    for (const ValueId id : alive_at(region.first))
      if (id != buffer(region.input)) around += bytes(id);
    std::int64_t most = 0;
    std::map<ValueId, std::int64_t> held;  // inside, by value
    for (std::size_t g = region.first; g <= region.last; ++g) {
      const ValueId output = output_of(g);
      std::int64_t shared = 0;
      const std::int64_t made = bytes_of_rows(output, needed.at(output).rows());
      const bool reads_input = reads_later(region, g);
      const std::int64_t first_row = input_stays ? 0 : reads_input ? needed.at(region.input).begin : next_row;
      const std::int64_t input = bytes_of_rows(region.input, rows_of(graph_, region.input) - first_row);
      const std::int64_t output_before = bytes_of_rows(region.output, out.begin);
      for (const ValueId id : inputs_of(g))
        if (id != region.input && last_reader(id) == g) shared = std::max(shared, std::min(held[id], made));
      held[output] = made;
      std::int64_t sum = around + input + output_before - shared;
      for (const auto& [id, size] : held) sum += size;
      most = std::max(most, sum);
      for (const ValueId id : inputs_of(g))
        if (id != region.input && last_reader(id) == g) held.erase(id);
    }
    return most;
  }

  bool reads_later(const BandRegion& region, std::size_t from) const {
    for (std::size_t g = from; g <= region.last; ++g)
      for (const ValueId id : inputs_of(g))
        if (id == region.input) return true;
    return false;
  }

  std::size_t last_reader(ValueId id) const { return last_reader_[at(id)]; }

  const Graph& graph_;
  const std::vector<NodeGroup>& groups_;
  std::vector<ValueId> buffer_;           // by value: that whose bytes it is
  std::vector<int> last_use_;             // by value, of its buffer: a group
  std::vector<std::size_t> last_reader_;  // by value: a group
  std::vector<double> macs_;              // by group
  std::vector<std::int64_t> outside_;
};

std::vector<std::int64_t> row_counts(std::int64_t rows) {
  std::set<std::int64_t> counts;
  for (std::int64_t bands = 2; bands <= rows; ++bands) counts.insert((rows + bands - 1) / bands);
  return {counts.begin(), counts.end()};
}

// Where a step has no formula, a portable kernel's usual price (Cortex-M3 and M4, MLPerf Tiny models).
double predicted(const Program& program) {
  double sum = 0;
  for (const ProgramStep& step : program.steps) {
    const double per_mac = step.kernel == "tml_conv2d_s8" ? 3 : 8;
    sum += step.instructions.value_or(per_mac * static_cast<double>(step.macs));
  }
  return sum;
}

std::int64_t macs_of(const Program& program) {
  std::int64_t sum = 0;
  for (const ProgramStep& step : program.steps) sum = saturating_sum(sum, step.macs);
  return sum;
}

bool is_predicted(const Program& program) {
  return std::all_of(program.steps.begin(), program.steps.end(),
                     [](const ProgramStep& step) { return step.instructions || step.macs == 0; });
}

class Search {
 public:
  Search(const Graph& graph, const Program& fastest, Program lean, std::size_t bound,
         const std::function<Program(const Graph&)>& lowered)
      : graph_(graph),
        groups_(group_nodes(graph)),
        bound_(bound),
        lowered_(lowered),
        fastest_(fastest),
        arena_without_(ram_bytes(lean)),
        best_(std::move(lean)) {}

  Program run() {
    std::vector<BandChoice> choices = band_choices(graph_, groups_);
    std::stable_sort(choices.begin(), choices.end(), [](const BandChoice& a, const BandChoice& b) {
      return std::tie(a.extra_macs, a.arena_estimate) < std::tie(b.extra_macs, b.arena_estimate);
    });
    for (const std::size_t room : {std::size_t{0}, bound_ / 10})  // for scratch
      try_some(choices, [&](const BandChoice& c) { return c.arena_estimate + room <= bound_; });
    if (ram_bytes(best_) <= bound_) return std::move(best_);
    std::stable_sort(choices.begin(), choices.end(), [](const BandChoice& a, const BandChoice& b) {
      return std::tie(a.arena_estimate, a.extra_macs) < std::tie(b.arena_estimate, b.extra_macs);
    });
    try_some(choices, [](const BandChoice&) { return true; });
    return std::move(best_);
  }

 private:
  template <class Want>
  void try_some(const std::vector<BandChoice>& choices, const Want& want) {
    std::size_t tries = 0;
    for (const BandChoice& choice : choices) {
      if (tries == kMostTries || is_good_enough()) return;
      if (!want(choice) || !tried_.insert({choice.region.first, choice.region.last, choice.rows}).second) continue;
      ++tries;
      consider(choice);
    }
  }

  // Bands make nothing faster.
  bool is_good_enough() const {
    return ram_bytes(best_) <= bound_ && predicted(best_) <= predicted(fastest_) * kGoodEnough;
  }

  void consider(const BandChoice& choice) {
    Program program = lowered_(in_bands(graph_, groups_, choice.region, choice.rows));
    const bool fits = ram_bytes(program) <= bound_, fitted = ram_bytes(best_) <= bound_;
    if (fitted ? !fits || predicted(program) >= predicted(best_) : ram_bytes(program) >= ram_bytes(best_)) return;
    program.bands = describe(choice, program);
    best_ = std::move(program);
  }

  ProgramBands describe(const BandChoice& choice, const Program& program) const {
    const std::int64_t rows = rows_of(graph_, choice.region.output);
    ProgramBands bands{.first = graph_.node(groups_[choice.region.first].nodes[0]).name,
                       .last = graph_.node(groups_[choice.region.last].nodes.back()).name,
                       .count = (rows + choice.rows - 1) / choice.rows,
                       .rows = choice.rows,
                       .arena_without = arena_without_,
                       .extra_macs = macs_of(program) - macs_of(fastest_),
                       .extra_instructions = std::nullopt};
    if (is_predicted(program) && is_predicted(fastest_))
      bands.extra_instructions = predicted(program) - predicted(fastest_);
    return bands;
  }

  const Graph& graph_;
  const std::vector<NodeGroup> groups_;
  std::size_t bound_;
  const std::function<Program(const Graph&)>& lowered_;
  const Program& fastest_;
  std::size_t arena_without_;
  Program best_;
  std::set<std::tuple<std::size_t, std::size_t, std::int64_t>> tried_;
};

}  // namespace

std::vector<BandChoice> band_choices(const Graph& graph, const std::vector<NodeGroup>& groups) {
  if (groups.empty()) return {};
  const Estimate estimate(graph, groups);
  std::vector<BandChoice> choices;
  const auto [from, to] = estimate.peak();
  for (const BandRegion& region : band_regions(graph, groups, from, to))
    for (const std::int64_t rows : row_counts(rows_of(graph, region.output)))
      choices.push_back(estimate.choice(region, rows));
  std::erase_if(choices, [&](const BandChoice& c) {
    return static_cast<std::int64_t>(c.arena_estimate) >= estimate.without_bands();
  });
  return choices;
}

std::size_t ram_bytes(const Program& program) { return program.arena_bytes + program.slow_arena_bytes; }

Program fit_with_bands(const Graph& graph, const Program& fastest, Program lean, std::size_t bound,
                       const std::function<Program(const Graph&)>& lowered) {
  return Search(graph, fastest, std::move(lean), bound, lowered).run();
}

}  // namespace tinyml
