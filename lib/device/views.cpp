// In memory order a part is a run of bytes only if it is a range of the outermost axis that is longer than 1: rows of
// an NHWC map. Channels lie apart and are copied. Parts form trees (a part of a part is one of the root). A copy is
// dropped only where both of its ends hold what they hold for good: the source is not written again, and of the target
// nothing else writes those bytes. So a buffer is joined into one target at most; in a second one it is copied.
#include "lib/device/views.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {
namespace {

constexpr std::int64_t kWord = 4;  // kernels may read and write whole words at the start of a buffer of bytes

std::size_t at(int index) { return static_cast<std::size_t>(index); }

const StepField* find_field(const LoweredStep& step, std::string_view name) {
  for (const StepField& field : step.fields)
    if (field.name == name) return &field;
  return nullptr;
}

std::int64_t integer(const LoweredStep& step, std::string_view name) {
  const StepField* field = find_field(step, name);
  return field == nullptr ? 0 : std::get<std::int64_t>(field->value);
}

const std::vector<std::int64_t>& integers(const LoweredStep& step, std::string_view name) {
  return std::get<std::vector<std::int64_t>>(find_field(step, name)->value);
}

bool is_copy(const LoweredStep& step) { return step.kernel == "tml_copy"; }

struct Range {
  std::int64_t begin = 0, end = 0;
};

bool meet(const Range& a, const Range& b) { return a.begin < b.end && b.begin < a.end; }

// The bytes between the first and the last that a copy writes of its target.
Range written_by(const LoweredStep& copy) {
  const auto& dims = integers(copy, "dims");
  const auto& strides = integers(copy, "out_strides");
  Range range{integer(copy, "out_offset"), integer(copy, "out_offset") + integer(copy, "element_bytes")};
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t reach = (dims[i] - 1) * strides[i];
    (reach < 0 ? range.begin : range.end) += reach;
  }
  return range;
}

// The bytes that the step moves as they are from one run to another; nullopt for any other step.
std::optional<std::int64_t> run_copied(const LoweredStep& step) {
  if (!is_copy(step) || find_field(step, "table") != nullptr || find_field(step, "in_const") != nullptr)
    return std::nullopt;
  const auto &dims = integers(step, "dims"), &from = integers(step, "in_strides"), &to = integers(step, "out_strides");
  std::int64_t run = integer(step, "element_bytes");
  for (std::size_t i = dims.size(); i-- > 0;) {
    if (dims[i] == 1) continue;
    if (dims[i] < 1 || from[i] != run || to[i] != run) return std::nullopt;
    run *= dims[i];
  }
  return run;
}

class Finder {
 public:
  Finder(std::span<const ViewStep> steps, std::span<const std::size_t> bytes, std::span<const int> ports)
      : steps_(steps), bytes_(bytes), views_(no_views(steps.size(), bytes.size())), trees_(bytes.size()) {
    for (std::size_t b = 0; b < bytes.size(); ++b) trees_[b].members = {static_cast<int>(b)};
    for (const int port : ports) trees_[at(port)].alignment = TML_ARENA_ALIGN;
  }

  Views run() {
    for (std::size_t s = 0; s < steps_.size(); ++s)
      if (const auto run = run_copied(*steps_[s].step)) consider(s, *run);
    return std::move(views_);
  }

 private:
  struct Tree {  // of a root
    std::vector<int> members;
    std::int64_t alignment = kWord;  // of the root, so that all members are aligned as they must be
  };

  int writes(std::size_t step) const { return steps_[step].operands->back(); }
  int root(int buffer) const { return views_.part_of[at(buffer)] < 0 ? buffer : views_.part_of[at(buffer)]; }

  void consider(std::size_t s, std::int64_t run) {
    const LoweredStep& copy = *steps_[s].step;
    const int from = steps_[s].operands->front(), to = writes(s);
    const auto size = [&](int buffer) { return static_cast<std::int64_t>(bytes_[at(buffer)]); };
    if (integer(copy, "element_bytes") != 1) require_alignment(from), require_alignment(to);
    if (run == size(from) && can_join(s, from, to))
      accept(s, from, to, integer(copy, "out_offset"), true);
    else if (run == size(to) && can_cut(s, from, to))
      accept(s, to, from, integer(copy, "in_offset"), false);
  }

  void require_alignment(int buffer) { trees_[at(root(buffer))].alignment = TML_ARENA_ALIGN; }

  bool can_join(std::size_t copy, int child, int parent) const {
    const Range range = written_by(*steps_[copy].step);
    for (std::size_t s = 0; s < steps_.size(); ++s) {
      if (s >= copy && writes(s) == child) return false;
      if (s == copy || writes(s) != parent) continue;
      if (!is_copy(*steps_[s].step) || meet(range, written_by(*steps_[s].step))) return false;
    }
    return true;
  }

  bool can_cut(std::size_t copy, int parent, int child) const {
    for (std::size_t s = 0; s < steps_.size(); ++s)
      if ((s != copy && writes(s) == child) || (s > copy && writes(s) == parent)) return false;
    return true;
  }

  void accept(std::size_t copy, int child, int parent, std::int64_t offset, bool joins) {
    const int top = root(parent);
    const std::int64_t place = views_.part_offset[at(parent)] + offset;
    if (root(child) != child || top == child || place % trees_[at(child)].alignment != 0) return;
    for (const int member : trees_[at(child)].members) {
      views_.part_of[at(member)] = top;
      views_.part_offset[at(member)] += place;
      trees_[at(top)].members.push_back(member);
    }
    trees_[at(top)].alignment = std::max(trees_[at(top)].alignment, trees_[at(child)].alignment);
    views_.dropped[copy] = true;
    if (joins) views_.assembled[at(parent)] = true;
  }

  std::span<const ViewStep> steps_;
  std::span<const std::size_t> bytes_;
  Views views_;
  std::vector<Tree> trees_;  // by root
};

}  // namespace

bool Views::any() const { return std::find(dropped.begin(), dropped.end(), true) != dropped.end(); }

Views no_views(std::size_t steps, std::size_t buffers) {
  return {std::vector<int>(buffers, -1), std::vector<std::int64_t>(buffers, 0), std::vector<bool>(buffers, false),
          std::vector<bool>(steps, false)};
}

Views find_views(std::span<const ViewStep> steps, std::span<const std::size_t> bytes, std::span<const int> ports) {
  return Finder(steps, bytes, ports).run();
}

}  // namespace tinyml
