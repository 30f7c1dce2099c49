// Costs are those of the default target: what 16 bits cost differs between cores by factors, but hardly in which layer
// they cost more. Where the device cannot run the model (nodes in float), the sizes of its 16-bit values stand for its
// instructions.
#include "passes/quantize/auto_int16.h"

#include <algorithm>

#include "lib/device/lower.h"
#include "lib/support/error.h"
#include "passes/quantize/int16_values.h"

namespace tinyml {
namespace {

constexpr Target kTarget = Target::cortex_m4;
// Of a step whose kernel has no formula: the conversions between 8 and 16 bits take 22 to 24 (counted under QEMU in
// kws01 and digits with some layers in 16 bits).
constexpr double kInstructionsPerByte = 23;

double real(std::size_t count) { return static_cast<double>(count); }

std::optional<DeviceNeeds> device_needs(const Graph& quantized) {
  try {
    const Program program = lower(quantized, {.target = kTarget});
    DeviceNeeds needs{0, program.arena_bytes, program.tables_bytes()};
    for (const ProgramStep& step : program.steps) {
      const double bytes = step.output < 0 ? 0 : real(program.buffers[static_cast<std::size_t>(step.output)].bytes);
      needs.instructions += step.instructions.value_or(kInstructionsPerByte * bytes);
    }
    return needs;
  } catch (const Error& error) {
    if (error.kind() == ExitCode::internal) throw;
    return std::nullopt;
  }
}

double elements(const Value& value) {
  double count = 1;
  if (value.type.shape)
    for (const Dim& dim : *value.type.shape) count *= dim.known() ? static_cast<double>(dim.value) : 1.0;
  return count;
}

struct Candidate {
  ValueId value;
  std::set<ValueId> held;  // in 16 bits when this one is chosen
  bool is_port;            // changes the type of the model's input or output, which firmware sees
  double gain;             // noise that the output loses
  double cost;
  QuantizeReport::Int16Choice report;
};

class Search {
 public:
  Search(const Preparation& preparation, const PreparedModel& base, const Judgement& judged, Trials& trials)
      : preparation_(preparation), base_(base), judged_(judged), trials_(trials) {}

  std::optional<PreparedModel> run(QuantizeReport& report) {
    const std::vector<ValueId> values = preparation_.int16_candidates();
    trials_.expect(values.size() + 12);  // about as many whole models
    const Graph narrow = trials_.quantized(base_);
    report_.before = device_needs(narrow);
    base_cost_ = cost(base_, narrow);
    for (const ValueId value : values)
      if (!base_.plan.int16.contains(value)) measure(value);
    std::stable_sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
      return a.is_port != b.is_port ? b.is_port : a.gain * b.cost > b.gain * a.cost;
    });
    chosen_.assign(candidates_.size(), false);
    if (!choose()) return std::nullopt;
    extend();
    PreparedModel model = with(chosen_);
    describe(model);
    report.auto_int16 = std::move(report_);
    return model;
  }

 private:
  PreparedModel with(const std::vector<bool>& chosen) const {
    std::set<ValueId> values = base_.plan.int16;
    for (std::size_t i = 0; i < chosen.size(); ++i)
      if (chosen[i]) values.insert(candidates_[i].value);
    return preparation_.with_int16(values);
  }

  double cost(const PreparedModel& model, const Graph& quantized) const {
    if (const auto needs = report_.before ? device_needs(quantized) : std::nullopt) return needs->instructions;
    double sum = 0;
    for (const ValueId id : model.plan.int16) sum += elements(model.reference.value(id));
    return sum;
  }

  void measure(ValueId value) {
    std::set<ValueId> values = base_.plan.int16;
    values.insert(value);
    const PreparedModel model = preparation_.with_int16(values);
    for (const Candidate& other : candidates_)
      if (other.held == model.plan.int16) return;  // tied to it
    const Graph quantized = trials_.quantized(model);
    const Judgement found = trials_.judge(quantized);
    double least = 0;  // an instruction for each element
    for (const ValueId id : model.plan.int16) least += elements(model.reference.value(id));
    const double added = cost(model, quantized) - base_cost_, gain = std::max(0.0, judged_.noise - found.noise);
    candidates_.push_back({value, model.plan.int16, is_port(model), gain, std::max(least, added), named(value)});
    candidates_.back().report.sqnr_db_alone = found.sqnr_db;
    if (report_.before) candidates_.back().report.instructions_alone = added;
  }

  bool is_port(const PreparedModel& model) const {
    const Graph& graph = model.reference;
    return std::any_of(model.plan.int16.begin(), model.plan.int16.end(), [&](ValueId id) {
      return !base_.plan.int16.contains(id) && (graph.is_output(id) || graph.value(id).producer == NodeId::none);
    });
  }

  QuantizeReport::Int16Choice named(ValueId value) const {
    const Graph& graph = preparation_.model();
    for (const auto& entry : preparation_.plan().nodes)
      if (std::find(entry.results.begin(), entry.results.end(), value) != entry.results.end())
        return {graph.node(entry.node).name, graph.node(entry.node).origins, 0, std::nullopt};
    return {graph.value(value).name, {}, 0, std::nullopt};
  }

  bool is_enough(const std::vector<bool>& chosen) {
    PreparedModel model = with(chosen);
    for (auto& entry : model.plan.nodes) entry.weights.rounding = trials_.options().weights.rounding;
    return trials_.acceptable(trials_.quantized(model), judged_);
  }

  // `chosen_` and the first ones.
  std::vector<bool> and_first(std::size_t count) const {
    std::vector<bool> chosen = chosen_;
    std::fill_n(chosen.begin(), count, true);
    return chosen;
  }

  // How many of the first are needed beside `chosen_`; `enough` are.
  std::size_t fewest(std::size_t least, std::size_t enough) {
    while (least < enough) {
      const std::size_t middle = (least + enough) / 2;
      if (is_enough(and_first(middle)))
        enough = middle;
      else
        least = middle + 1;
    }
    return enough;
  }

  // The last of the shortest prefix is needed; what is needed beside it, is looked for in the same way.
  bool choose() {
    constexpr int kRounds = 3;
    const std::size_t all = candidates_.size();
    std::size_t enough = 0;  // losses of accuracy are not monotonous: fewer may suffice where all do not
    for (const std::size_t count : {all, all / 2, all * 3 / 4, all / 4})
      if (enough == 0 && count > 0 && is_enough(and_first(count))) enough = count;
    if (enough == 0) return false;
    std::size_t count = fewest(1, enough);
    for (int round = 1; round < kRounds && count > 0; ++round) {
      chosen_[count - 1] = true;
      count = fewest(0, count - 1);
    }
    chosen_ = and_first(count);
    return true;
  }

  double cost_of(const std::vector<bool>& chosen) {
    const PreparedModel model = with(chosen);
    return cost(model, trials_.quantized(model));
  }

  // More in 16 bits is cheaper where it takes conversions away.
  void extend() {
    std::vector<bool> cheapest = chosen_;
    double least = cost_of(chosen_);
    for (std::size_t i = 0; i < candidates_.size() && !candidates_[i].is_port; ++i) {
      if (chosen_[i]) continue;
      const std::vector<bool> more = and_first(i + 1);
      const double cost = cost_of(more);
      if (cost >= least) continue;
      least = cost;
      cheapest = more;
    }
    if (cheapest != chosen_ && is_enough(cheapest)) chosen_ = std::move(cheapest);
  }

  void describe(const PreparedModel& model) {
    report_.target = target_name(kTarget);
    report_.candidates = candidates_.size();
    report_.sqnr_db_int8 = judged_.sqnr_db;
    report_.after = device_needs(trials_.quantized(model));
    for (std::size_t i = 0; i < chosen_.size(); ++i)
      if (chosen_[i]) report_.layers.push_back(candidates_[i].report);
  }

  const Preparation& preparation_;
  const PreparedModel& base_;
  const Judgement& judged_;
  Trials& trials_;
  QuantizeReport::AutoInt16 report_;
  double base_cost_ = 0;
  std::vector<Candidate> candidates_;
  std::vector<bool> chosen_;
};

}  // namespace

std::optional<PreparedModel> choose_int16(const Preparation& preparation, const PreparedModel& base,
                                          const Judgement& judged, Trials& trials, QuantizeReport& report) {
  return Search(preparation, base, judged, trials).run(report);
}

}  // namespace tinyml
