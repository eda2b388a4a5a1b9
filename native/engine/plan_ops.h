#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "native/core/status.h"
#include "native/engine/node_view.h"
#include "native/engine/plan_format.h"

namespace hone {

class Step;
struct StepContext;

/// What an operand must be.
enum class OperandKind : uint8_t {
  kReal,      ///< float32
  kGrid,      ///< int8 with a scale
  kByte,      ///< int8 or uint8
  kAny,       ///< every type
  kNumber,    ///< every type but float16
  kWhole,     ///< int64, int32, int8, uint8 or bool
  kIndex,     ///< int64 or int32
  kTruth,     ///< bool
  kConstS8,   ///< a constant of int8
  kConstU8,   ///< a constant of uint8
  kConstS32,  ///< a constant of int32
  kConstF32,  ///< a constant of float32
};

/// One formal operand of an operation.
struct OperandRule {
  const char* name;
  OperandKind kind;
  bool is_output;
  bool is_optional = false;  ///< may be left out
  bool is_in_place = false;  ///< the first output may lie on this input, element for element
  bool is_coded = false;     ///< may be a constant that is held as codes

  constexpr OperandRule optional() const { return {name, kind, is_output, true, is_in_place, is_coded}; }
  constexpr OperandRule in_place() const { return {name, kind, is_output, is_optional, true, is_coded}; }
  constexpr OperandRule coded() const { return {name, kind, is_output, is_optional, is_in_place, true}; }
};

/// What is wrong with a node, in words; empty when nothing is.
using Fault = std::string;

/// A row of plan_ops.def.
struct PlanOpRule {
  const char* word;  ///< name of the operation, and of its kernel folder
  std::span<const OperandRule> outputs, inputs;
  uint32_t least_outputs, least_inputs;
  uint32_t params_bytes;
  bool moves;              ///< it only moves bytes
  const char* gpu_reason;  ///< why it runs on the CPU alone; null when there is a GPU row
  /// Checks what the row cannot say: extents, parameters, values. Operands are there and of their kinds.
  Fault (*check)(const NodeView& node);
  /// Prepares a node of a checked plan. E_MEMORY, or std::bad_alloc.
  Status (*make)(const StepContext& context, std::unique_ptr<Step>* step);
};

/// The rule of an operation below kPlanOpCount.
const PlanOpRule& find_rule(PlanOp op);

/// Word of an operation: the name of its kernel folder.
const char* describe_op(PlanOp op);

// Each row's own functions, in ops/<family>.cc.
#define HONE_PLAN_OP(number, symbol, word, ...) \
  Fault check_##word(const NodeView& node);     \
  Status make_##word(const StepContext& context, std::unique_ptr<Step>* step);
#include "native/engine/plan_ops.def"

}  // namespace hone
