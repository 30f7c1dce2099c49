// Memory layouts: permutations of ONNX axes, compared up to axes of size 1, and carried through reshapes where no byte
// has to move. Used by the layout facets of the operators and by lib/device.
#include "lib/ops/lowering.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "lib/support/error.h"

namespace tinyml {

Layout row_major(std::size_t rank) {
  Layout layout(rank);
  std::iota(layout.begin(), layout.end(), 0);
  return layout;
}

Layout channels_last(std::size_t rank) {
  Layout layout = row_major(rank);
  if (rank >= 3) std::rotate(layout.begin() + 1, layout.begin() + 2, layout.end());
  return layout;
}

bool is_row_major(const Layout& layout) { return std::is_sorted(layout.begin(), layout.end()); }

bool equivalent(const Layout& a, const Layout& b, const Dims& dims) {
  if (a.size() != dims.size() || b.size() != dims.size()) return false;
  const auto long_axes = [&](const Layout& layout) {
    Layout kept;
    std::copy_if(layout.begin(), layout.end(), std::back_inserter(kept),
                 [&](int axis) { return dims[static_cast<std::size_t>(axis)] != 1; });
    return kept;
  };
  return long_axes(a) == long_axes(b);
}

Dims memory_dims(const Dims& dims, const Layout& layout) {
  if (dims.size() != layout.size()) internal_error("a layout of another rank");
  Dims result;
  for (const int axis : layout) result.push_back(dims[static_cast<std::size_t>(axis)]);
  return result;
}

std::size_t memory_axis(const Layout& layout, std::size_t axis) {
  const auto it = std::find(layout.begin(), layout.end(), static_cast<int>(axis));
  if (it == layout.end()) internal_error("a layout without axis " + std::to_string(axis));
  return static_cast<std::size_t>(it - layout.begin());
}

Tensor to_layout(const Tensor& tensor, const Layout& layout) {
  Tensor result(tensor.dtype(), memory_dims(tensor.dims(), layout));
  const std::size_t width = byte_size(tensor.dtype());
  const Dims strides = row_major_strides(tensor.dims());
  Dims index(layout.size(), 0);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    std::int64_t from = 0;
    for (std::size_t k = 0; k < index.size(); ++k) from += index[k] * strides[static_cast<std::size_t>(layout[k])];
    std::memcpy(result.raw() + static_cast<std::size_t>(i) * width,
                tensor.raw() + static_cast<std::size_t>(from) * width, width);
    for (std::size_t k = index.size(); k-- > 0;) {
      if (++index[k] < result.dims()[k]) break;
      index[k] = 0;
    }
  }
  return result;
}

namespace {

std::size_t rank_of(const Value& value) {
  if (!value.type.shape)
    throw Error("the rank is not known", "export the model with static shapes").at_tensor(value.name);
  return value.type.shape->size();
}

LayoutChoice row_major_everywhere(const NodeView& node) {
  LayoutChoice choice;
  for (std::size_t i = 0; i < node.input_count(); ++i)
    choice.inputs.push_back(node.has_input(i) ? row_major(rank_of(node.input(i))) : Layout{});
  for (std::size_t i = 0; i < node.output_count(); ++i)
    choice.outputs.push_back(node.node().outputs[i] == ValueId::none ? Layout{} : row_major(rank_of(node.output(i))));
  return choice;
}

// Axes of `from` and of `to` that hold the same elements: the smallest runs with equal products.
struct AxisGroup {
  std::vector<int> from, to;
};

std::optional<std::vector<AxisGroup>> match_axes(const Dims& from, const Dims& to) {
  std::vector<AxisGroup> groups;
  std::size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    AxisGroup group;
    std::int64_t left = from[i], right = to[j];
    group.from.push_back(static_cast<int>(i++));
    group.to.push_back(static_cast<int>(j++));
    while (left != right) {
      if (left < right && i < from.size()) {
        left *= from[i];
        group.from.push_back(static_cast<int>(i++));
      } else if (right < left && j < to.size()) {
        right *= to[j];
        group.to.push_back(static_cast<int>(j++));
      } else {
        return std::nullopt;
      }
    }
    groups.push_back(std::move(group));
  }
  // What remains has size 1 and stands anywhere.
  if (groups.empty()) groups.emplace_back();
  while (i < from.size()) groups.back().from.push_back(static_cast<int>(i++));
  while (j < to.size()) groups.back().to.push_back(static_cast<int>(j++));
  return groups;
}

}  // namespace

std::optional<Layout> reshaped_layout(const Dims& from, const Layout& layout, const Dims& to) {
  const bool empty = std::find(from.begin(), from.end(), 0) != from.end();
  if (empty || is_row_major(layout)) return row_major(to.size());
  // Axes of size 1 stand at no place of their own: match without them, then put those of `to` beside their neighbours.
  Dims long_from, long_to;
  std::vector<int> from_axes, to_axes;
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1) long_from.push_back(from[i]), from_axes.push_back(static_cast<int>(i));
  for (std::size_t i = 0; i < to.size(); ++i)
    if (to[i] != 1) long_to.push_back(to[i]), to_axes.push_back(static_cast<int>(i));
  const auto groups = match_axes(long_from, long_to);
  if (!groups) return std::nullopt;

  Layout long_layout;
  for (const int axis : layout)
    if (from[static_cast<std::size_t>(axis)] != 1) long_layout.push_back(axis);
  Layout result;
  for (std::size_t at = 0; at < long_layout.size();) {
    const auto group = std::find_if(groups->begin(), groups->end(), [&](const AxisGroup& g) {
      return !g.from.empty() && from_axes[static_cast<std::size_t>(g.from.front())] == long_layout[at];
    });
    if (group == groups->end()) return std::nullopt;  // the run starts in the middle of a group
    for (const int axis : group->from)
      if (at >= long_layout.size() || long_layout[at++] != from_axes[static_cast<std::size_t>(axis)])
        return std::nullopt;
    for (const int axis : group->to) result.push_back(to_axes[static_cast<std::size_t>(axis)]);
  }
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] != 1) continue;
    const auto before = std::find(result.begin(), result.end(), static_cast<int>(i) - 1);
    result.insert(before == result.end() ? result.begin() : before + 1, static_cast<int>(i));
  }
  return result;
}

LayoutChoice layout_channels_last(const NodeView& node, std::span<const Layout>) {
  LayoutChoice choice = row_major_everywhere(node);
  choice.inputs[0] = channels_last(choice.inputs[0].size());
  choice.outputs[0] = channels_last(choice.outputs[0].size());
  return choice;
}

LayoutChoice layout_follow(const NodeView& node, std::span<const Layout> inputs) {
  LayoutChoice choice = row_major_everywhere(node);
  const std::size_t rank = choice.outputs[0].size();
  const Layout* leader = nullptr;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!node.has_input(i) || node.constant(i) != nullptr || inputs[i].size() != rank) continue;
    if (leader == nullptr || (is_row_major(*leader) && !is_row_major(inputs[i]))) leader = &inputs[i];
  }
  if (leader == nullptr) return choice;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (node.has_input(i) && choice.inputs[i].size() == rank) choice.inputs[i] = *leader;
  for (Layout& output : choice.outputs)
    if (output.size() == rank) output = *leader;
  return choice;
}

LayoutChoice layout_row_major(const NodeView& node, std::span<const Layout>) { return row_major_everywhere(node); }

LayoutChoice layout_view(const NodeView& node, std::span<const Layout> inputs) {
  LayoutChoice choice = row_major_everywhere(node);
  const Shape& from = *node.input(0).type.shape;
  const Shape& to = *node.output(0).type.shape;
  if (!is_static(from) || !is_static(to)) return choice;
  if (const auto layout = reshaped_layout(to_dims(from), inputs[0], to_dims(to))) {
    choice.inputs[0] = inputs[0];
    choice.outputs[0] = *layout;
  }
  return choice;
}

}  // namespace tinyml
