// Values are checked against the width of the record's field here, once for all operators: a model that is too large
// for a kernel is refused instead of wrapped.
#include "lib/device/builder.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "lib/device/cost.h"
#include "lib/device/kernels.h"
#include "lib/device/overlap.h"
#include "lib/device/pack_nibbles.h"
#include "lib/device/regions.h"
#include "lib/device/residual.h"
#include "lib/device/segments.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

IntRange field_range(DType type) { return int_range(type); }

void check_fits(std::int64_t value, const KernelField& field) {
  std::int64_t low = field_range(field.element).min, high = field_range(field.element).max;
  if (field.element == DType::u32) low = 0, high = std::numeric_limits<std::uint32_t>::max();
  if (value >= low && value <= high) return;
  throw Error("'" + std::string(field.name) + "' is " + std::to_string(value) + ", and the device kernel holds " +
                  std::to_string(low) + " to " + std::to_string(high),
              "the layer is too large for the device");
}

void check_count(std::size_t count, const KernelField& field) {
  if (count > field.count) internal_error("field " + std::string(field.name) + " is given too many elements");
}

bool is_zero(const ProgramField& field) {
  if (!field.constants.empty())
    return std::all_of(field.constants.begin(), field.constants.end(), [](int c) { return c < 0; });
  if (const auto* value = std::get_if<std::int64_t>(&field.value)) return *value == 0;
  const auto& list = std::get<std::vector<std::int64_t>>(field.value);
  return std::all_of(list.begin(), list.end(), [](std::int64_t v) { return v == 0; });
}

// Fields that hold what the model brings; all other constants are made by lowering.
bool is_weight(const std::string& field) {
  constexpr std::string_view kWeights[] = {"weights", "bias", "a_const", "b_const", "data_const", "in_const"};
  return std::find(std::begin(kWeights), std::end(kWeights), field) != std::end(kWeights);
}

// Bytes of the weights, packed where they will be, and the bias of a step of a portable kernel.
std::size_t weight_bytes(const LoweredStep& step) {
  std::size_t bytes = 0;
  if (const Tensor* weights = field_tensor(step, "weights"))
    bytes += takes_nibbles(step) ? (weights->bytes() + 1) / 2 : weights->bytes();
  if (const Tensor* bias = field_tensor(step, "bias")) bytes += bias->bytes();
  return bytes;
}

}  // namespace

std::string c_identifier(const std::string& text) {
  constexpr std::size_t kLongest = 48;
  std::string name;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
    if (letter || digit)
      name += letter && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (name.size() > kLongest) name = name.substr(name.size() - kLongest);  // exporters' paths differ at the end
  while (!name.empty() && name.front() == '_') name.erase(name.begin());
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name = "n" + name;
  return name;
}

int ProgramBuilder::add_buffer(const std::string& name, std::size_t bytes) {
  program_.buffers.push_back({.name = name, .bytes = bytes});
  return static_cast<int>(program_.buffers.size()) - 1;
}

int ProgramBuilder::add_constant(const std::string& name, const Tensor& data, std::size_t weight_bytes) {
  const std::string bytes(reinterpret_cast<const char*>(data.raw()), data.bytes());
  const auto [it, is_new] = constants_by_bytes_.try_emplace({data.dtype(), bytes}, program_.constants.size());
  if (!is_new) return it->second;
  std::string unique = name;
  for (int i = 2; !names_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
  program_.constants.push_back({unique, data, weight_bytes});
  return it->second;
}

ProgramField ProgramBuilder::make_field(const StepField& field, const std::string& kernel,
                                        std::size_t stream_weight_bytes, const std::string& prefix) {
  const KernelField* described = find_kernel(kernel).record->find(field.name);
  if (described == nullptr) internal_error(kernel + " has no field " + field.name);
  ProgramField result{.name = field.name, .value = {}, .constants = {}};
  const auto constant = [&](const Tensor& data, const std::string& name) {
    if (data.dtype() != described->element) internal_error(kernel + ": constant of another type for " + field.name);
    const std::size_t bytes = is_weight(field.name) ? data.bytes() : 0;
    return add_constant(prefix + "_" + name, data,
                        field.name == "stream" ? std::min(stream_weight_bytes, data.bytes()) : bytes);
  };
  if (const auto* one = std::get_if<Tensor>(&field.value)) {
    result.constants = {constant(*one, field.name)};
  } else if (const auto* several = std::get_if<std::vector<Tensor>>(&field.value)) {
    check_count(several->size(), *described);
    for (std::size_t i = 0; i < several->size(); ++i)
      result.constants.push_back((*several)[i].size() == 0 ? -1
                                                           : constant((*several)[i], field.name + std::to_string(i)));
  } else if (const auto* value = std::get_if<std::int64_t>(&field.value)) {
    check_fits(*value, *described);
    result.value = *value;
  } else {
    const auto& list = std::get<std::vector<std::int64_t>>(field.value);
    check_count(list.size(), *described);
    for (const std::int64_t element : list) check_fits(element, *described);
    result.value = list;
  }
  if (described->is_pointer == result.constants.empty()) internal_error(kernel + ": wrong kind of field " + field.name);
  return result;
}

void ProgramBuilder::add_step(LoweredStep step, StepInfo info, std::vector<int> operands, int output_buffer) {
  drafts_.push_back({std::move(step), std::move(info), std::move(operands), output_buffer, {}});
}

void ProgramBuilder::place_step(const Draft& draft, const StepForm& form) {
  ProgramStep result{.kernel = form.step.kernel,
                     .name = draft.info.name,
                     .op = draft.info.op,
                     .origins = draft.info.origins,
                     .fields = {},
                     .operands = draft.operands,
                     .output = draft.operands.back(),
                     .scratch = -1,
                     .macs = draft.info.macs,
                     .instructions = form.instructions,
                     .terms = {}};
  if (form.scratch_bytes != 0) {
    result.scratch = add_buffer(draft.info.name + "_scratch", form.scratch_bytes);
    result.operands.push_back(result.scratch);
  }
  note_overlaps(form.step, draft.operands, draft.output);
  for (const CostTerm& term : form.terms) result.terms.emplace_back(term.name, term.times);
  program_.steps.push_back(std::move(result));
}

void ProgramBuilder::fuse_residuals() {
  std::vector<std::size_t> bytes;
  for (const ProgramBuffer& buffer : program_.buffers) bytes.push_back(buffer.bytes);
  for (const Residual& found : find_residuals(view_steps(), bytes, ports())) {
    const Draft &conv = drafts_[found.conv], &add = drafts_[found.add];
    Draft fused{conv.step,
                conv.info,
                {conv.operands[0], add.operands[1 - found.conv_operand], add.operands[2]},
                add.output,
                {}};
    fused.info.name += "+" + add.info.name;
    fused.info.op += "+" + add.info.op;
    fused.info.origins.insert(fused.info.origins.end(), add.info.origins.begin(), add.info.origins.end());
    for (const StepForm& form : conv.forms)
      if (auto with = with_residual(conv.step, form, add.step, found.conv_operand)) fused.forms.push_back(*with);
    if (fused.forms.empty()) continue;
    conv_of_[found.add] = found.conv;
    fused_.emplace(found.conv, Fused{found.add, std::move(fused)});
  }
}

bool ProgramBuilder::is_fused(const std::vector<std::size_t>& choice, std::size_t conv) const {
  return choice[conv] >= drafts_[conv].forms.size();
}

// What stands at the draft's place: nothing for a dropped copy, or a convolution that waits for its addition.
std::optional<ProgramBuilder::Placed> ProgramBuilder::placed(const std::vector<std::size_t>& choice,
                                                             std::size_t draft) const {
  if (views_.dropped[draft] || is_fused(choice, draft)) return std::nullopt;
  const auto conv = conv_of_.find(draft);
  if (conv == conv_of_.end() || !is_fused(choice, conv->second))
    return Placed{draft, &drafts_[draft], &drafts_[draft].forms[choice[draft]]};
  const Draft& fused = fused_.at(conv->second).draft;
  return Placed{draft, &fused, &fused.forms[choice[conv->second] - drafts_[conv->second].forms.size()]};
}

void ProgramBuilder::place_steps(const std::vector<std::size_t>& choice, std::size_t enough) {
  program_.buffers.resize(value_buffers_);
  program_.steps.clear();
  in_place_.clear();
  in_place_steps_.clear();
  placed_.clear();
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    const auto step = placed(choice, i);
    if (!step) continue;
    place_step(*step->source, *step->form);
    placed_.push_back(i);
  }
  plan(enough);
}

void ProgramBuilder::fill_fields(ProgramStep& step, const Draft& draft, const StepForm& form) {
  const std::string prefix = c_identifier(draft.info.name);
  for (const StepField& field : form.step.fields) {
    ProgramField made = make_field(field, form.step.kernel, weight_bytes(draft.step), prefix);
    if (!is_zero(made)) step.fields.push_back(std::move(made));
  }
  const auto* record = find_kernel(form.step.kernel).record;
  std::sort(step.fields.begin(), step.fields.end(), [&](const ProgramField& a, const ProgramField& b) {
    return record->find(a.name)->offset < record->find(b.name)->offset;
  });
}

// What the step cannot do without in this form.
std::size_t ProgramBuilder::bytes_of(const Draft& draft, const StepForm& form) const {
  std::set<int> buffers(draft.operands.begin(), draft.operands.end());
  std::int64_t sum = static_cast<std::int64_t>(form.scratch_bytes), shared = 0;
  const auto bytes = [&](int buffer) {
    return static_cast<std::int64_t>(program_.buffers[static_cast<std::size_t>(buffer)].bytes);
  };
  for (const int buffer : buffers) sum += bytes(buffer);
  for (const StepOverlap& overlap : overlaps_of(form.step)) {
    const int from = draft.operands[overlap.operand], to = draft.operands.back();
    if (from != to) shared = std::max(shared, shared_bytes({from, to, overlap.distance}, bytes(from), bytes(to)));
  }
  return static_cast<std::size_t>(sum - shared);
}

// By the aim alone, unless memory is short.
std::vector<std::size_t> ProgramBuilder::choose() {
  std::vector<std::size_t> choice;
  for (const Draft& draft : drafts_) choice.push_back(choose_form(draft.forms, options_.optimize));
  constexpr double kAsGood = 1.005;  // what fusing saves otherwise is worth that much
  for (const auto& [conv, fused] : fused_) {
    const std::vector<FormCost> costs = costs_of(conv);
    for (std::size_t f = drafts_[conv].forms.size(); f < costs.size(); ++f)
      if (costs[f].instructions <= kAsGood * costs[choice[conv]].instructions) choice[conv] = f;
  }
  if (options_.optimize != Optimize::ram) {
    choice = without_small_gains(std::move(choice));
    if (options_.max_arena == 0) return choice;
    place_steps(choice);
    if (program_.arena_bytes <= options_.max_arena) return choice;
  }
  const std::vector<std::vector<std::size_t>> all = units();
  std::vector<std::vector<FormCost>> costs;
  for (const std::vector<std::size_t>& unit : all) {
    auto& forms = costs.emplace_back();
    for (const std::size_t d : unit) {
      const std::vector<FormCost> of_draft = costs_of(d);
      forms.resize(of_draft.size());
      for (std::size_t f = 0; f < forms.size(); ++f) {
        forms[f].bytes = std::max(forms[f].bytes, of_draft[f].bytes);
        forms[f].instructions += of_draft[f].instructions;
      }
    }
  }
  const auto of_drafts = [&](const std::vector<std::size_t>& of_units) {
    for (std::size_t u = 0; u < all.size(); ++u)
      for (const std::size_t d : all[u]) choice[d] = of_units[u];
    return choice;
  };
  const std::optional<std::size_t> limit =
      options_.optimize == Optimize::ram ? std::nullopt : std::optional(options_.max_arena);
  return without_small_gains(
      of_drafts(fit_arena(costs, limit, [&](const std::vector<std::size_t>& trial, std::size_t enough) {
        place_steps(of_drafts(trial), enough);
        return program_.arena_bytes;
      })));
}

// Such kernels take no scratch, so the arena stays as it is.
std::vector<std::size_t> ProgramBuilder::without_small_gains(std::vector<std::size_t> choice) const {
  std::vector<std::span<const StepForm>> forms;
  for (const Draft& draft : drafts_) forms.emplace_back(draft.forms);
  for (const auto& [conv, fused] : fused_)
    if (choice[conv] >= forms[conv].size()) forms[fused.add] = {};
  give_up_small_gains(forms, options_.optimize, choice);
  return choice;
}

// By form; those of the fused step behind the draft's own, less what the addition takes: by itself it would at best be
// done by a kernel that the program has anyway, so those with a least gain do not count. Where a residual is added
// later, it is alive while the convolution runs by itself.
std::vector<FormCost> ProgramBuilder::costs_of(std::size_t d) const {
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  std::vector<FormCost> costs;
  for (const StepForm& form : drafts_[d].forms)
    costs.push_back({bytes_of(drafts_[d], form), form.instructions.value_or(kUnknown)});
  const auto found = fused_.find(d);
  if (found == fused_.end()) return costs;
  const Draft &fused = found->second.draft, &add = drafts_[found->second.add];
  const std::size_t residual = static_cast<std::size_t>(fused.operands[1]);
  const auto writes = [&](const Draft& draft) { return draft.operands.back() == fused.operands[1]; };
  if (std::none_of(drafts_.begin() + static_cast<std::ptrdiff_t>(d), drafts_.end(), writes) &&
      fused.operands[1] != fused.operands[0])
    for (FormCost& cost : costs) cost.bytes += program_.buffers[residual].bytes;
  double adding = kUnknown;
  for (const StepForm& form : add.forms)
    if (form.least_gain == 0) adding = std::min(adding, form.instructions.value_or(kUnknown));
  for (const StepForm& form : fused.forms)
    costs.push_back({bytes_of(fused, form), form.instructions.value_or(kUnknown) - (adding < kUnknown ? adding : 0)});
  return costs;
}

// Drafts that choose their form together: the bands of one layer, which share its weights.
std::vector<std::vector<std::size_t>> ProgramBuilder::units() const {
  std::vector<std::vector<std::size_t>> units;
  std::map<std::string, std::size_t> known;
  for (std::size_t d = 0; d < drafts_.size(); ++d) {
    const Tensor* weights = field_tensor(drafts_[d].step, "weights");
    std::string key = drafts_[d].step.kernel;
    for (const StepForm& form : drafts_[d].forms) key += " " + form.step.kernel;
    if (const auto fused = fused_.find(d); fused != fused_.end())
      key += " " + std::to_string(fused->second.draft.forms.size());
    if (weights != nullptr)
      key += " " + std::string(reinterpret_cast<const char*>(weights->raw()), weights->bytes());
    else
      key += " " + std::to_string(d);
    const auto [it, is_new] = known.try_emplace(key, units.size());
    if (is_new)
      units.push_back({d});
    else
      units[it->second].push_back(d);
  }
  return units;
}

// A buffer that is read as two operands must be related to the output by both of them.
void ProgramBuilder::note_overlaps(const LoweredStep& step, const std::vector<int>& operands, int output_buffer) {
  if (std::find(operands.begin(), operands.end(), output_buffer) == operands.end()) return;  // writes a temporary
  const std::vector<StepOverlap> overlaps = overlaps_of(step);
  for (const StepOverlap& overlap : overlaps) {
    const int from = operands[overlap.operand];
    const auto agrees = [&](std::size_t i) {
      return operands[i] != from || std::any_of(overlaps.begin(), overlaps.end(), [&](const StepOverlap& other) {
               return other.operand == i && other.distance == overlap.distance;
             });
    };
    bool all_agree = from != output_buffer;
    for (std::size_t i = 0; i < operands.size(); ++i) all_agree = all_agree && agrees(i);
    if (!all_agree) continue;
    in_place_.push_back({from, output_buffer, overlap.distance});
    in_place_steps_.push_back(program_.steps.size());
  }
}

// In the present order of steps.
void ProgramBuilder::find_lifetimes() {
  const int end = static_cast<int>(program_.steps.size());
  for (ProgramBuffer& buffer : program_.buffers) buffer.first_step = end, buffer.last_step = -1;
  for (int s = 0; s < end; ++s)
    for (const int operand : program_.steps[static_cast<std::size_t>(s)].operands) {
      ProgramBuffer& buffer = program_.buffers[static_cast<std::size_t>(operand)];
      buffer.first_step = std::min(buffer.first_step, s);
      buffer.last_step = std::max(buffer.last_step, s);
    }
  for (const ProgramPort& port : program_.inputs)
    program_.buffers[static_cast<std::size_t>(port.buffer)].first_step = -1;
  for (const ProgramPort& port : program_.outputs)
    program_.buffers[static_cast<std::size_t>(port.buffer)].last_step = end;
}

// `enough` as plan_memory has it; where more is needed in any case there is no plan, only how much at least.
void ProgramBuilder::plan(std::size_t enough) {
  find_lifetimes();
  if (enough != 0) {
    program_.arena_bytes = live_bytes_bound(program_, in_place_);
    if (program_.arena_bytes > enough) return;
  }
  plan_memory(program_, in_place_, enough);
}

// The given order unless another one takes less: an estimate finds the order, the plan decides.
ProgramBuilder::Arrangement ProgramBuilder::arrange(const Views& views) {
  apply(views);
  Arrangement best{views, choose(), {}, 0, 0};
  place_steps(best.choice);
  best.arena_bytes = program_.arena_bytes;
  best.instructions = predicted(program_);
  const std::vector<int> order = order_steps(order_problem());
  best.order.resize(order.size());
  std::iota(best.order.begin(), best.order.end(), std::size_t{0});
  if (std::is_sorted(order.begin(), order.end())) return best;
  const std::vector<std::size_t> other(order.begin(), order.end());
  reorder(other);
  if (program_.arena_bytes >= best.arena_bytes) return best;
  best.order = other;
  best.arena_bytes = program_.arena_bytes;
  return best;
}

void ProgramBuilder::reorder(const std::vector<std::size_t>& order) {
  std::vector<ProgramStep> steps;
  for (const std::size_t s : order) steps.push_back(std::move(program_.steps[s]));
  program_.steps = std::move(steps);
  plan();
}

// What a fused convolution would have written has a place, but no bytes.
void ProgramBuilder::drop_unused_buffers() {
  const Segments segments = segments_of(program_.buffers);
  for (std::size_t b = 0; b < program_.buffers.size(); ++b) {
    const std::vector<int>& parts = segments.of_buffer[b];
    if (std::none_of(parts.begin(), parts.end(), [&](int s) {
          const Segment& segment = segments.all[static_cast<std::size_t>(s)];
          return segment.first_step <= segment.last_step;
        }))
      program_.buffers[b].bytes = 0;
  }
}

Program ProgramBuilder::finish_drafts() {
  value_buffers_ = program_.buffers.size();
  for (Draft& draft : drafts_) draft.forms = step_forms(draft.step, program_.target);
  fuse_residuals();
  const Arrangement best = best_arrangement();
  apply(best.views);
  place_steps(best.choice);
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    const Placed step = *placed(best.choice, placed_[i]);
    fill_fields(program_.steps[i], *step.source, *step.form);
  }
  if (!std::is_sorted(best.order.begin(), best.order.end())) reorder(best.order);
  drop_unused_buffers();
  constexpr std::size_t kMostArena = std::size_t{1} << 28U;  // offsets are 32 bits wide, and no such device has more
  if (program_.arena_bytes > kMostArena)
    throw Error("the model needs " + std::to_string(program_.arena_bytes) + " bytes of working memory",
                "it is too large for a microcontroller");
  if (options_.fast_arena) split_regions(program_, in_place_, *options_.fast_arena);
  return std::move(program_);
}

}  // namespace tinyml
