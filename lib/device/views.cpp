// In memory order a part is a run of bytes if it is a range of the outermost axis that is longer than 1: rows of an
// NHWC map. Channels are runs at a pitch. Parts form trees (a part of a part is one of the root). A copy is dropped
// only where both of its ends hold what they hold for good: the source is not written again, and of the target nothing
// else writes those bytes. So a buffer is joined into one target at most; in a second one it is copied.
#include "lib/device/views.h"

#include <algorithm>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {
namespace {

constexpr std::int64_t kWord = 4;  // kernels may read and write whole words at the start of a buffer of bytes

std::size_t at(int index) { return static_cast<std::size_t>(index); }

bool is_copy(const LoweredStep& step) { return step.kernel == "tml_copy"; }

struct Written {
  PartLayout layout;
  std::int64_t bytes = 0;
};

// What a copy writes of its target; at the least a run from the first byte to the last.
Written written_by(const LoweredStep& copy) {
  LoweredStep plain = copy;  // where it comes from changes nothing here
  std::erase_if(plain.fields, [](const StepField& f) { return f.name == "table" || f.name == "in_const"; });
  for (StepField& field : plain.fields)
    if (field.name == "in_strides") field.value = field_list(copy, "out_strides");
  if (const auto layouts = copy_layouts(plain)) return {layouts->out, layouts->bytes};
  const auto &dims = field_list(copy, "dims"), &strides = field_list(copy, "out_strides");
  std::int64_t begin = field_value(copy, "out_offset"), end = begin + field_value(copy, "element_bytes");
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t reach = (dims[i] - 1) * strides[i];
    (reach < 0 ? begin : end) += reach;
  }
  return {{begin}, end - begin};
}

bool may_meet(const Written& a, const Written& b) { return may_meet(a.layout, a.bytes, b.layout, b.bytes); }

class Finder {
 public:
  Finder(std::span<const ViewStep> steps, std::span<const std::size_t> bytes, std::span<const int> ports,
         const PitchRule* rule)
      : steps_(steps),
        bytes_(bytes),
        rule_(rule),
        views_(no_views(steps.size(), bytes.size())),
        trees_(bytes.size()),
        steps_of_(bytes.size()) {
    for (std::size_t b = 0; b < bytes.size(); ++b) trees_[b].members = {static_cast<int>(b)};
    for (const int port : ports) trees_[at(port)].alignment = TML_ARENA_ALIGN;
    for (std::size_t s = 0; s < steps.size(); ++s)
      for (const int buffer : *steps[s].operands)
        if (steps_of_[at(buffer)].empty() || steps_of_[at(buffer)].back() != s) steps_of_[at(buffer)].push_back(s);
  }

  Views run() {
    for (std::size_t s = 0; s < steps_.size(); ++s)
      if (const auto layouts = copy_layouts(*steps_[s].step)) consider(s, *layouts);
    return std::move(views_);
  }

 private:
  struct Tree {  // of a root
    std::vector<int> members;
    std::int64_t alignment = kWord;  // of the root, so that all members are aligned as they must be
  };

  int writes(std::size_t step) const { return steps_[step].operands->back(); }
  int root(int buffer) const { return views_.part_of[at(buffer)] < 0 ? buffer : views_.part_of[at(buffer)]; }
  std::int64_t size(int buffer) const { return static_cast<std::int64_t>(bytes_[at(buffer)]); }

  void consider(std::size_t s, const CopyLayouts& copy) {
    const int from = steps_[s].operands->front(), to = writes(s);
    if (rule_ == nullptr ? !(copy.in.is_dense() && copy.out.is_dense()) : rule_->is_copied(s)) return;
    if (field_value(*steps_[s].step, "element_bytes") != 1) require_alignment(from), require_alignment(to);
    const auto is_whole = [&](const PartLayout& layout, int buffer) {
      return layout.is_dense() && copy.bytes == size(buffer);
    };
    if (is_whole(copy.in, from) && can_join(s, from, to))
      accept(s, from, to, copy.out, true);
    else if (is_whole(copy.out, to) && can_cut(s, from, to))
      accept(s, to, from, copy.in, false);
  }

  void require_alignment(int buffer) { trees_[at(root(buffer))].alignment = TML_ARENA_ALIGN; }

  bool can_join(std::size_t copy, int child, int parent) const {
    const Written part = written_by(*steps_[copy].step);
    for (const std::size_t s : steps_of_[at(child)])
      if (s >= copy && writes(s) == child) return false;
    for (const std::size_t s : steps_of_[at(parent)]) {
      if (s == copy || writes(s) != parent) continue;
      if (!is_copy(*steps_[s].step) || may_meet(part, written_by(*steps_[s].step))) return false;
    }
    return true;
  }

  bool can_cut(std::size_t copy, int parent, int child) const {
    for (const std::size_t s : steps_of_[at(child)])
      if (s != copy && writes(s) == child) return false;
    for (const std::size_t s : steps_of_[at(parent)])
      if (s > copy && writes(s) == parent) return false;
    return true;
  }

  // Where the child and its parts come to stand in the parent's root; empty where they cannot.
  std::vector<PartLayout> places(int child, int parent, const PartLayout& in_parent) const {
    const auto place = compose(views_.layout[at(parent)], in_parent, size(child));
    if (!place) return {};
    std::vector<PartLayout> result;
    for (const int member : trees_[at(child)].members) {
      const auto moved = compose(*place, views_.layout[at(member)], size(member));
      if (!moved) return {};
      const bool keeps_words = moved->is_dense() && moved->offset % trees_[at(child)].alignment == 0;
      if (!keeps_words && (moved->is_dense() || rule_ == nullptr || trees_[at(child)].alignment != kWord)) return {};
      result.push_back(*moved);
    }
    return result;
  }

  std::vector<PartLayout> operands_of(std::size_t step, const std::vector<PartLayout>& layouts) const {
    std::vector<PartLayout> operands;
    for (const int buffer : *steps_[step].operands) operands.push_back(layouts[at(buffer)]);
    return operands;
  }

  // Can all steps write and read the members there, and for no more than what the copy takes?
  bool pays(std::size_t copy, const std::vector<int>& members, const std::vector<PartLayout>& places) const {
    std::vector<PartLayout> layouts = views_.layout;
    bool changes = false;
    for (std::size_t m = 0; m < members.size(); ++m) {
      layouts[at(members[m])] = places[m];
      changes = changes || !places[m].is_dense() || !views_.layout[at(members[m])].is_dense();
    }
    if (!changes) return true;
    double more = 0;
    std::vector<std::size_t> touched;
    for (const int member : members)
      for (const std::size_t s : steps_of_[at(member)])
        if (s != copy && !views_.dropped[s] && std::find(touched.begin(), touched.end(), s) == touched.end())
          touched.push_back(s);
    for (const std::size_t s : touched) {
      const auto now = rule_->cost(s, operands_of(s, views_.layout)), then = rule_->cost(s, operands_of(s, layouts));
      if (!now || !then) return false;
      more += *then - *now;
    }
    const auto saved = rule_->cost(copy, operands_of(copy, views_.layout));
    return rule_->at_any_cost || (saved && more <= *saved);
  }

  void accept(std::size_t copy, int child, int parent, const PartLayout& in_parent, bool joins) {
    const int top = root(parent);
    if (root(child) != child || top == child) return;
    const std::vector<int>& members = trees_[at(child)].members;
    const std::vector<PartLayout> layouts = places(child, parent, in_parent);
    if (layouts.empty() || !pays(copy, members, layouts)) return;
    for (std::size_t m = 0; m < members.size(); ++m) {
      views_.part_of[at(members[m])] = top;
      views_.layout[at(members[m])] = layouts[m];
      trees_[at(top)].members.push_back(members[m]);
    }
    trees_[at(top)].alignment = std::max(trees_[at(top)].alignment, trees_[at(child)].alignment);
    views_.dropped[copy] = true;
    if (joins) views_.assembled[at(parent)] = true;
  }

  std::span<const ViewStep> steps_;
  std::span<const std::size_t> bytes_;
  const PitchRule* rule_;
  Views views_;
  std::vector<Tree> trees_;                         // by root
  std::vector<std::vector<std::size_t>> steps_of_;  // by buffer
};

}  // namespace

bool Views::any() const { return std::find(dropped.begin(), dropped.end(), true) != dropped.end(); }

bool Views::has_pitch() const {
  return std::any_of(layout.begin(), layout.end(), [](const PartLayout& l) { return !l.is_dense(); });
}

Views no_views(std::size_t steps, std::size_t buffers) {
  return {std::vector<int>(buffers, -1), std::vector<PartLayout>(buffers), std::vector<bool>(buffers, false),
          std::vector<bool>(steps, false)};
}

Views find_views(std::span<const ViewStep> steps, std::span<const std::size_t> bytes, std::span<const int> ports,
                 const PitchRule* rule) {
  return Finder(steps, bytes, ports, rule).run();
}

}  // namespace tinyml
