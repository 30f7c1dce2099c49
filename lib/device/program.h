// The lowered model: one kernel with fully resolved parameters per step, packed constants, an arena offset for every
// buffer. All that formats/csource prints and all that the host simulation executes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/ir/graph.h"
#include "lib/ops/lowering.h"

namespace tinyml {

enum class Target : std::uint8_t {
  generic,
  cortex_m0,
  cortex_m3,
  cortex_m4,
  cortex_m7,
  cortex_m33,
  cortex_m55,
  cortex_m85,
  riscv32  // rv32imc
};
std::string_view target_name(Target target);  // "cortex-m4"
Target parse_target(std::string_view name);   // Error (usage) listing the known ones

// What a choice between kernels minimises; the other two decide between equals.
enum class Optimize : std::uint8_t { speed, size, ram };
Optimize parse_optimize(std::string_view name);  // Error (usage) listing the known ones

// Which steps run a kernel that is compiled for their shape: those where it is worth its flash, none, or all that can.
enum class Specialize : std::uint8_t { worthwhile, none, all };
Specialize parse_specialize(std::string_view name);  // Error (usage) listing the known ones

struct ProgramConstant {
  std::string name;  // C identifier without the model's prefix, unique: "conv1_weights"
  Tensor data;       // int8, uint16, int16, int32, uint32
  // Of its bytes those that the model brings: weights, biases, constant operands. The others are tables of ours, such
  // as the multipliers that a packed stream also holds.
  std::size_t weight_bytes = 0;
};

// A step's parameter record: fields in no particular order; tensors have become indices of constants.
struct ProgramField {
  std::string name;
  std::variant<std::int64_t, std::vector<std::int64_t>> value;
  std::vector<int> constants;  // for pointer fields: constant index per element, -1 = null; empty for value fields
  bool operator==(const ProgramField&) const = default;
};

struct ProgramBuffer {
  std::string name;  // of the ONNX value, or of the step and its temporary
  std::size_t bytes = 0;
  std::size_t offset = 0;  // in its arena; set by the planner
  bool slow = false;       // stands in the slow arena
  int first_step = 0,
      last_step = 0;  // lifetime, inclusive; inputs start at -1 and, as outputs, are kept alive on demand
  int part_of = -1;   // a view: the buffer whose bytes from part_offset on it is; that one is no part
  std::size_t part_offset = 0;
  std::size_t run = 0,
              pitch = 0;      // of a view whose bytes lie in runs, `pitch` apart, as some channels of a map; else 0
  bool is_assembled = false;  // parts of it are written by the steps that compute them
  std::size_t span() const;   // bytes from the first to behind the last
};

struct ProgramStep {
  std::string kernel;
  std::string name;  // for people: origin names and operator
  std::string op;
  std::vector<std::string> origins;
  std::vector<ProgramField> fields;
  std::vector<int> operands;  // buffer indices, in the kernel's order: inputs, the output, scratch
  int output = -1;            // buffers that it writes; scratch is -1 where the kernel takes none
  int scratch = -1;
  std::int64_t macs = 0;
  std::optional<double> instructions;  // predicted per inference on the target, where the kernel has a cost formula
  // What the prediction is made of, for portable kernels (lib/device/cost.h).
  std::vector<std::pair<std::string_view, double>> terms;
  int fixed = -1;  // index of the function that is compiled for its shape; -1: the kernel itself runs
};

// A kernel's body compiled for one shape, for the steps that have it (fixed_shape.h).
struct ProgramFixed {
  std::string kernel, form;  // form: the key of its costs
  std::vector<std::size_t> steps;
  std::vector<ProgramField> same;            // the fields that are constants in it: all steps have these values
  std::optional<double> flash_bytes;         // predicted code on the target
  std::optional<double> saved_instructions;  // predicted, of all steps together
};

struct ProgramPort {
  std::string name;  // of the ONNX graph input or output
  int buffer = 0;
  DType dtype = DType::i8;
  Dims dims;      // device (memory) order
  Layout layout;  // from ONNX axes: dims[i] is ONNX axis layout[i]
  Dims onnx_dims;
  std::optional<QuantParams> quant;  // per tensor; nullopt for integer tensors
};

// A stage that runs in bands of rows (bands.h), and what that costs and saves.
struct ProgramBands {
  std::string first, last;  // nodes
  std::int64_t count = 0, rows = 0;
  std::size_t arena_without = 0;  // with the leanest kernels
  // Against the program without a bound on its arena; predicted, where all steps with MACs have a cost formula.
  std::int64_t extra_macs = 0;
  std::optional<double> extra_instructions;
};

struct Program {
  Target target = Target::generic;
  std::vector<ProgramConstant> constants;
  std::vector<ProgramBuffer> buffers;
  std::vector<ProgramStep> steps;
  std::vector<ProgramFixed> fixed;
  double unneeded_kernel_bytes = 0;  // predicted code of kernels that fixed functions have replaced altogether
  std::vector<ProgramPort> inputs, outputs;
  std::optional<ProgramBands> bands;
  std::size_t arena_bytes = 0;
  std::size_t arena_bound = 0;  // proven: no placement of these buffers in this order takes less
  // With two memory regions `arena_bytes` counts the fast one.
  bool two_arenas = false;
  std::size_t slow_arena_bytes = 0;

  // By step: the first one with the same parameter record, which is stored once.
  std::vector<std::size_t> record_owners() const;
  // What a step's operand list holds for a buffer.
  std::uint32_t operand_offset(int buffer) const;
  std::size_t weights_bytes() const;  // the model's weights, biases and constant operands
  // All other constant data: multipliers, lookup tables, and steps, parameter records and operand lists as the 32-bit
  // device lays them out.
  std::size_t tables_bytes() const;
};

}  // namespace tinyml
