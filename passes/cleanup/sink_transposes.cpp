// Moves Transposes towards the outputs, through operators that do not care about the order of axes, until they meet
// their inverse and vanish. Models that arrive channels-last, as tf2onnx writes them, have a Transpose before and after
// each Conv; this is what removes them.
//
// First a plan, without touching the graph: for each value that would be available in another order of axes, from which
// base and by which permutation. Values that flow together form a region. A region is rewritten if it then needs fewer
// Transposes, or as many over no more elements; a Transpose of a graph input is border and moves only for a gain.
// A second plan may also transpose operands that come from elsewhere, if fewer Transposes remain in all.
// Rewriting changes nodes in place, so they keep their names and origins.
#include <algorithm>
#include <map>
#include <set>

#include "passes/cleanup/permuted_axes.h"
#include "passes/cleanup/reshapes.h"

namespace tinyml {
namespace {

struct State {
  ValueId base = ValueId::none;  // the value itself, when its own node is rewritten to compute it unpermuted
  Permutation p;                 // value = Transpose(base, p)
  int region = -1;
};

// Cost of a region before and after: Transposes, then elements moved (symbolic dimensions count as 1).
struct Cost {
  std::int64_t transposes = 0, elements = 0;
  void add(const Shape* shape) {
    ++transposes;
    std::int64_t count = 1;
    for (const Dim& d : shape != nullptr ? *shape : Shape{})
      if (d.known()) count = std::min<std::int64_t>(count * std::max<std::int64_t>(d.value, 1), std::int64_t{1} << 40U);
    elements += count;
  }
};

struct Region {
  Cost before, after;
  bool moves = false;        // a node other than a Transpose takes part
  bool from_border = false;  // a Transpose of a graph input takes part
  bool imports = false;      // operands are transposed to take part
  bool pays() const {
    if (after.transposes != before.transposes) return after.transposes < before.transposes;
    if (after.elements > before.elements || from_border || imports) return false;
    return moves;
  }
};

// The value can be brought into its base's order of axes by a reshape, and one dimension at most must be computed.
bool is_free_import(const Graph& graph, ValueId v, const Permutation& p) {
  const Shape* shape = shape_of(graph, v);
  if (shape == nullptr || shape->size() != p.size() || !keeps_memory_order(*shape, inverse(p))) return false;
  const auto open =
      std::count_if(shape->begin(), shape->end(), [](const Dim& d) { return !d.known() || d.value == 0; });
  const bool empty = std::any_of(shape->begin(), shape->end(), [](const Dim& d) { return d.value == 0; });
  return open <= 1 && !empty;
}

class Plan {
 public:
  // `imports`: operands from outside of a region may be transposed, at their cost.
  Plan(const Graph& graph, bool imports) : graph_(graph), imports_(imports) {
    for (const NodeId id : graph.nodes()) visit(id);
    for (auto& [value, state] : states_) state.region = root(state.region);
    for (const NodeId id : graph.nodes()) price(id);
    for (const auto& [import, region] : imported_) {
      regions_[root(region)].after.add(shape_of(graph, import.first));
      regions_[root(region)].imports = true;
    }
  }

  const State* state(ValueId v) const {
    const auto it = states_.find(v);
    return it == states_.end() ? nullptr : &it->second;
  }
  bool is_absorbed(NodeId id) const { return absorbed_.contains(id); }
  const Permutation& permutation(NodeId id) const { return absorbed_.at(id); }
  bool pays(const State& state) const { return regions_.at(state.region).pays(); }
  bool any_pays() const {
    return std::any_of(regions_.begin(), regions_.end(), [](const auto& r) { return r.second.pays(); });
  }
  bool is_planned(NodeId id) const {
    const Node& node = graph_.node(id);
    if (node.op != "Transpose") return is_absorbed(id);
    return !node.outputs.empty() && state(node.outputs[0]) != nullptr;
  }
  // Somebody outside of the plan needs the value as it is.
  bool has_border_use(ValueId v) const {
    const auto& users = graph_.value(v).consumers;
    return graph_.is_output(v) ||
           std::any_of(users.begin(), users.end(), [&](NodeId user) { return !is_planned(user); });
  }

 private:
  int root(int region) {
    while (parent_[static_cast<std::size_t>(region)] != region) region = parent_[static_cast<std::size_t>(region)];
    return region;
  }
  int new_region() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }

  void visit(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op == "Transpose") return visit_transpose(node);
    if (auto p = common_permutation(node)) absorb(id, *p);
  }

  // The rounding point behind a Transpose must be one before it already.
  bool keeps_rounding(const Node& node, const Permutation& own) const {
    const auto& after = graph_.value(node.outputs[0]).quant;
    if (!after) return true;
    const Value& input = graph_.value(node.inputs[0]);
    return input.quant && *input.quant == base_quant(*after, own);
  }

  void visit_transpose(const Node& node) {
    const Shape* shape = shape_of(graph_, node.inputs[0]);
    if (shape == nullptr || node.outputs.empty() || node.outputs[0] == ValueId::none) return;
    const auto own = transpose_permutation(node, shape->size());
    const State* source = state(node.inputs[0]);
    if (!own || !keeps_rounding(node, *own)) return;
    State out{node.inputs[0], *own, -1};
    if (source != nullptr) out = {source->base, compose(source->p, *own), source->region};
    if (out.region < 0) out.region = new_region();
    states_[node.outputs[0]] = out;
  }

  // The permutation that the node's data operands share, when the node can do without it.
  std::optional<Permutation> common_permutation(const Node& node) const {
    const Permutation* p = nullptr;
    for (const ValueId v : node.inputs)
      if (const State* s = v == ValueId::none ? nullptr : state(v); s != nullptr && !is_identity(s->p)) p = &s->p;
    if (p == nullptr || node.outputs.empty()) return std::nullopt;
    const auto use = axis_use(graph_, node, *p);
    if (!use) return std::nullopt;
    bool any = false;
    for (const std::size_t i : use->data) {
      const ValueId v = node.inputs[i];
      if (v == ValueId::none) return std::nullopt;
      const State* s = state(v);
      const bool permuted = s != nullptr && s->p == *p;
      any = any || permuted;
      if (!permuted && !is_indifferent(v, p->size(), use->broadcasts) && !may_import(v, *p)) return std::nullopt;
    }
    return any ? std::optional(*p) : std::nullopt;
  }

  // An operand that is right in any order of axes, or can be brought into it now: a constant, one element to broadcast.
  bool is_indifferent(ValueId v, std::size_t rank, bool broadcasts) const {
    const Shape* shape = shape_of(graph_, v);
    if (shape == nullptr || shape->size() > rank || (!broadcasts && shape->size() != rank)) return false;
    if (is_constant(graph_, v)) return true;
    return broadcasts && std::all_of(shape->begin(), shape->end(), [](const Dim& d) { return d == Dim(1); });
  }

  // An operand that nobody transposes yet: by a reshape where that does it, else by a Transpose where the plan allows.
  bool may_import(ValueId v, const Permutation& p) const {
    const Shape* shape = shape_of(graph_, v);
    const State* s = state(v);
    if (shape == nullptr || shape->size() != p.size() || is_constant(graph_, v)) return false;
    if (s != nullptr && !is_identity(s->p)) return false;
    return imports_ || is_free_import(graph_, v, p);
  }

  void absorb(NodeId id, const Permutation& p) {
    const Node& node = graph_.node(id);
    const AxisUse use = *axis_use(graph_, node, p);
    int region = -1;
    for (const std::size_t i : use.data) {
      const State* s = state(node.inputs[i]);
      if (s == nullptr) continue;
      if (region >= 0) parent_[static_cast<std::size_t>(root(s->region))] = root(region);
      region = s->region;
    }
    for (const std::size_t i : use.data) {
      const ValueId v = node.inputs[i];
      const State* s = state(v);
      const bool permuted = s != nullptr && s->p == p;
      if (permuted || is_indifferent(v, p.size(), use.broadcasts) || is_free_import(graph_, v, p)) continue;
      imported_.emplace(std::pair(v, p), region);
    }
    absorbed_[id] = p;
    for (const ValueId v : node.outputs)
      if (v != ValueId::none) states_[v] = {v, use.output, region};
  }

  void price(NodeId id) {
    const Node& node = graph_.node(id);
    for (const ValueId v : node.outputs) {
      const State* s = v == ValueId::none ? nullptr : state(v);
      if (s == nullptr) continue;
      Region& region = regions_[s->region];
      if (is_absorbed(id)) region.moves = true;
      if (node.op == "Transpose") {
        region.before.add(shape_of(graph_, v));
        const auto& inputs = graph_.inputs();
        if (std::find(inputs.begin(), inputs.end(), s->base) != inputs.end()) region.from_border = true;
      }
      if (!is_identity(s->p) && has_border_use(v)) region.after.add(shape_of(graph_, v));
    }
  }

  const Graph& graph_;
  bool imports_;
  std::map<std::pair<ValueId, Permutation>, int> imported_;  // to the region
  std::map<ValueId, State> states_;
  std::map<NodeId, Permutation> absorbed_;
  std::map<int, Region> regions_;
  std::vector<int> parent_;  // of regions that flowed together
};

// Rewrites the paying regions of a plan.
class Sinker {
 public:
  Sinker(Graph& graph, const Plan& plan) : graph_(graph), plan_(plan), nodes_(graph.nodes()) {}

  int run() {
    // Border uses first: they are recognised by the links as the plan saw them.
    std::vector<std::pair<ValueId, std::vector<NodeId>>> borders;
    for (const NodeId id : nodes_)
      for (const ValueId v : graph_.node(id).outputs)
        if (pays(v) && plan_.has_border_use(v)) borders.emplace_back(v, border_users(v));
    for (const NodeId id : nodes_)
      if (plan_.is_absorbed(id) && pays(graph_.node(id).outputs[0])) rewrite(id);
    for (const auto& [value, users] : borders) materialize(value, users);
    for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it)
      if (is_alive(graph_, *it) && graph_.node(*it).op == "Transpose") erase_if_unused(graph_, *it);
    return changed_;
  }

 private:
  bool pays(ValueId v) const {
    const State* s = v == ValueId::none ? nullptr : plan_.state(v);
    return s != nullptr && plan_.pays(*s);
  }

  std::vector<NodeId> border_users(ValueId v) const {
    std::vector<NodeId> users;
    for (const NodeId user : graph_.value(v).consumers)
      if (!plan_.is_planned(user)) users.push_back(user);
    return users;
  }

  void rewrite(NodeId id) {
    const Permutation& p = plan_.permutation(id);
    const AxisUse use = *axis_use(graph_, graph_.node(id), p);
    for (const std::size_t i : use.data) {
      const ValueId v = graph_.node(id).inputs[i];
      const State* s = plan_.state(v);
      if (s != nullptr && s->p == p)
        graph_.set_input(id, i, s->base);
      else if (is_constant(graph_, v))
        graph_.set_input(id, i, permute_operand(graph_, v, p));
      else if (shape_of(graph_, v)->size() == p.size() && !has_one_element(v))
        graph_.set_input(id, i, import(id, s != nullptr ? s->base : v, p));
    }
    permute_axes(graph_, id, p);
    for (const ValueId v : graph_.node(id).outputs) {
      if (v == ValueId::none) continue;
      Value& value = graph_.value(v);
      if (value.type.shape) value.type.shape = base_shape(*value.type.shape, use.output);
      if (value.quant) value.quant = base_quant(*value.quant, use.output);
      value.known_elements.reset();
    }
    ++changed_;
  }

  bool has_one_element(ValueId v) const {
    const Shape& shape = *shape_of(graph_, v);
    return std::all_of(shape.begin(), shape.end(), [](const Dim& d) { return d == Dim(1); });
  }

  // The operand with the axes of the base, for the node `id`.
  ValueId import(NodeId id, ValueId v, const Permutation& p) {
    const Permutation back = inverse(p);
    const std::vector<std::string> origins = graph_.node(id).origins;
    const std::vector<std::int64_t> perm(back.begin(), back.end());
    const bool is_free = is_free_import(graph_, v, p);
    const TensorType type{graph_.value(v).type.dtype, base_shape(*shape_of(graph_, v), p)};
    std::optional<QuantParams> quant = graph_.value(v).quant;
    if (quant) quant = base_quant(*quant, p);
    const ValueId out = graph_.emit("Transpose", std::span(&v, 1), {{"perm", perm}}, origins);
    graph_.value(out).type = type;
    graph_.value(out).quant = std::move(quant);
    if (is_free) (void)become_reshape(graph_, graph_.value(out).producer, v);
    return out;
  }

  // The value as those need it who are not part of the region: its base, or a Transpose of that.
  void materialize(ValueId v, const std::vector<NodeId>& users) {
    const State& state = *plan_.state(v);
    if (state.base == v && is_identity(state.p)) return;
    const NodeId maker = graph_.value(v).producer;
    const bool is_transpose = graph_.node(maker).op == "Transpose";
    if (is_transpose && graph_.node(maker).inputs[0] == state.base &&
        transpose_permutation(graph_.node(maker), state.p.size()) == state.p)
      return;  // it stands there already
    if (is_identity(state.p)) {
      if (graph_.is_output(v)) return reconnect_output(v, state.base, users);
      return connect(v, state.base, users);
    }
    const Shape* shape = shape_of(graph_, state.base);
    std::optional<Shape> permuted;
    if (shape != nullptr) {
      permuted.emplace();
      for (const int axis : state.p) permuted->push_back((*shape)[static_cast<std::size_t>(axis)]);
    }
    const std::vector<std::string> origins = graph_.node(maker).origins;
    const std::vector<std::int64_t> perm(state.p.begin(), state.p.end());
    const ValueId moved = graph_.emit("Transpose", std::span(&state.base, 1), {{"perm", perm}}, origins);
    graph_.value(moved).type = {graph_.value(state.base).type.dtype, std::move(permuted)};
    if (const auto& quant = graph_.value(state.base).quant)
      graph_.value(moved).quant = base_quant(*quant, inverse(state.p));
    if (graph_.is_output(v)) return reconnect_output(v, moved, users);
    connect(v, moved, users);
  }

  void connect(ValueId from, ValueId to, const std::vector<NodeId>& users) {
    for (const NodeId user : users) {
      const std::vector<ValueId> inputs = graph_.node(user).inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i] == from) graph_.set_input(user, i, to);
    }
    ++changed_;
  }

  // The graph's output keeps its name. A base that is part of the interface itself stays behind the Transpose.
  void reconnect_output(ValueId from, ValueId to, const std::vector<NodeId>& users) {
    connect(from, to, users);
    const auto& inputs = graph_.inputs();
    ValueId target = to;
    if (graph_.is_output(to) || graph_.value(to).constant ||
        std::find(inputs.begin(), inputs.end(), to) != inputs.end()) {
      const std::vector<std::string> origins = graph_.node(graph_.value(from).producer).origins;
      const TensorType type = graph_.value(to).type;
      target = graph_.emit("Identity", std::span(&to, 1), {}, origins);
      graph_.value(target).type = type;
      graph_.value(target).quant = graph_.value(to).quant;
    }
    std::vector<ValueId> outputs = graph_.outputs();
    std::replace(outputs.begin(), outputs.end(), from, target);
    graph_.set_outputs(std::move(outputs));
    const std::string name = graph_.value(from).name;
    graph_.rename(from, name + "_base");
    graph_.rename(target, name);
  }

  Graph& graph_;
  const Plan& plan_;
  std::vector<NodeId> nodes_;
  int changed_ = 0;
};

// A rounding point behind a Transpose moves before it, where nobody else sees the difference.
int round_before_transposes(Graph& graph) {
  int changed = 0;
  const std::vector<NodeId> nodes = graph.nodes();
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    const Node& node = graph.node(*it);
    if (node.op != "Transpose" || !is_quantized(graph, node.outputs[0])) continue;
    const ValueId x = node.inputs[0];
    const Shape* shape = shape_of(graph, x);
    if (is_quantized(graph, x) || graph.value(x).producer == NodeId::none || !has_single_use(graph, x) ||
        shape == nullptr)
      continue;
    const auto p = transpose_permutation(node, shape->size());
    if (!p) continue;
    graph.value(x).quant = base_quant(*graph.value(node.outputs[0]).quant, *p);
    ++changed;
  }
  return changed;
}

PassReport run(Graph& graph, const PassContext&) {
  PassReport report;
  report.changed = round_before_transposes(graph);
  for (const bool imports : {false, true}) {
    const Plan plan(graph, imports);
    if (!plan.any_pays()) continue;
    report.changed += Sinker(graph, plan).run();
    if (!imports) graph.sort();
  }
  report.matched = report.changed;
  for (const NodeId id : graph.nodes())
    if (graph.node(id).op == "Transpose") {
      ++report.matched;
      report.skipped.push_back({graph.node(id).name, "moving it would not remove it"});
    }
  return report;
}

}  // namespace

std::unique_ptr<Pass> make_sink_transposes() {
  return make_simple_pass("sink-transposes", "move Transposes behind what ignores the order of axes, cancel inverses",
                          run);
}

}  // namespace tinyml
