// Collects the parts of a Program: buffers, and steps of the portable kernels. At the end it chooses each step's
// kernel, checks its fields against the kernel's parameter record, stores equal constants once and plans the arena.
// Used by lower.cpp, which knows what to build.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/device/fit_arena.h"
#include "lib/device/lower.h"
#include "lib/device/order.h"
#include "lib/device/plan_memory.h"
#include "lib/device/program.h"
#include "lib/device/segments.h"
#include "lib/device/variants.h"
#include "lib/device/views.h"

namespace tinyml {

class ProgramBuilder {
 public:
  explicit ProgramBuilder(const LowerOptions& options) : options_(options) { program_.target = options.target; }

  int add_buffer(const std::string& name, std::size_t bytes);

  struct StepInfo {
    std::string name, op;  // name also prefixes the names of the step's constants
    std::vector<std::string> origins;
    std::int64_t macs = 0;
  };
  // A step of a portable kernel. operands: buffers in the kernel's order; step.in_place: indices among them that
  // output_buffer may be written over.
  void add_step(LoweredStep step, StepInfo info, std::vector<int> operands, int output_buffer);

  void add_input(ProgramPort port) { program_.inputs.push_back(std::move(port)); }
  void add_output(ProgramPort port) { program_.outputs.push_back(std::move(port)); }

  // Views are taken without asking whether copies would need less memory: for graphs that were cut for them.
  void keep_views() { compares_copies_ = false; }

  // Kernels, copies that can be left out, order, lifetimes, offsets.
  Program finish();

 private:
  struct Draft {
    LoweredStep step;
    StepInfo info;
    std::vector<int> operands;  // buffers
    int output = -1;
    std::vector<StepForm> forms;  // of the target's kernels, set when the builder finishes
  };
  // A convolution and the addition behind it as one step. The convolution's choices beyond its own forms mean these.
  struct Fused {
    std::size_t add = 0;  // draft
    Draft draft;
  };
  struct Placed {
    std::size_t draft = 0;
    const Draft* source;  // that draft, or the fused one in its place
    const StepForm* form;
  };

  struct Arrangement {
    Views views;
    std::vector<std::size_t> choice;  // the form of each draft
    std::vector<std::size_t> order;   // of the drafts that are steps
    std::size_t arena_bytes = 0;
    double instructions = 0;
  };

  Program finish_drafts();
  void expand_pad(std::size_t pad);
  static double predicted(const Program& program);

  Arrangement arrange(const Views& views);
  Arrangement best_arrangement();
  std::vector<ViewStep> view_steps() const;
  std::vector<int> ports() const;
  // copied: by draft, those that are to stay copies; nullptr: no part at a pitch.
  Views possible_views(const std::vector<bool>* copied) const;
  void fuse_residuals();
  bool is_fused(const std::vector<std::size_t>& choice, std::size_t conv) const;
  std::optional<Placed> placed(const std::vector<std::size_t>& choice, std::size_t draft) const;
  std::vector<FormCost> costs_of(std::size_t draft) const;
  void apply(const Views& views);
  std::optional<LoweredStep> pitched_step(std::size_t draft, const std::vector<PartLayout>& operands) const;
  const std::vector<StepForm>& pitched_forms(std::size_t draft, const std::vector<PartLayout>& operands) const;
  std::optional<double> pitched_cost(std::size_t draft, const std::vector<PartLayout>& operands) const;
  void apply_pitches(const Views& views);
  // Steps without their fields, in the forms chosen, and their plan.
  void place_steps(const std::vector<std::size_t>& choice, std::size_t enough = 0);
  void reorder(const std::vector<std::size_t>& order);
  void place_step(const Draft& draft, const StepForm& form);
  void fill_fields(ProgramStep& step, const Draft& draft, const StepForm& form);
  std::vector<std::size_t> choose();
  std::vector<std::size_t> without_small_gains(std::vector<std::size_t> choice) const;
  std::vector<std::vector<std::size_t>> units() const;
  std::size_t bytes_of(const Draft& draft, const StepForm& form) const;
  void drop_unused_buffers();
  void find_lifetimes();
  void plan(std::size_t enough = 0);
  OrderProblem order_problem() const;
  void note_shares(OrderProblem& problem, const Segments& segments, std::size_t relation) const;
  void note_overlaps(const LoweredStep& step, const std::vector<int>& operands, int output_buffer);
  // `stream_weight_bytes`: of a packed field "stream" those that the model brings.
  ProgramField make_field(const StepField& field, const std::string& kernel, std::size_t stream_weight_bytes,
                          const std::string& prefix);
  int add_constant(const std::string& name, const Tensor& data, std::size_t weight_bytes);

  Program program_;
  LowerOptions options_;
  bool compares_copies_ = true;
  std::vector<Draft> drafts_;
  std::size_t value_buffers_ = 0;  // those behind them are scratch
  Views views_;
  // Of the drafts, and of fused_, whose forms are those with pitches now: the others.
  std::map<std::size_t, std::vector<StepForm>> dense_forms_, dense_fused_;
  std::map<std::size_t, Fused> fused_;          // by the convolution's draft
  std::map<std::size_t, std::size_t> conv_of_;  // the convolution of each addition in fused_
  mutable std::map<std::pair<std::size_t, std::vector<std::int64_t>>, std::vector<StepForm>> pitched_forms_;
  std::vector<std::size_t> placed_;  // the draft of each step
  std::vector<InPlace> in_place_;
  std::vector<std::size_t> in_place_steps_;  // the step of each
  std::map<std::pair<DType, std::string>, int> constants_by_bytes_;
  std::set<std::string> names_;
};

// Letters, digits and single underscores, not starting with a digit: "Conv_0/w" becomes "conv_0_w".
std::string c_identifier(const std::string& text);

}  // namespace tinyml
