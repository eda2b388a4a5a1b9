#include "native/engine/plan_ops.h"

#include <cstddef>

namespace hone {
namespace {

using enum OperandKind;

constexpr OperandRule out(const char* name, OperandKind kind) { return {name, kind, true}; }
constexpr OperandRule in(const char* name, OperandKind kind) { return {name, kind, false}; }

constexpr bool kMoves = true;
constexpr bool kComputes = false;

[[maybe_unused]] constexpr const char* gpu_row() { return nullptr; }
constexpr const char* cpu_only(const char* reason) { return reason; }

template <typename Params>
constexpr uint32_t kParamsBytes = sizeof(Params);
template <>
constexpr uint32_t kParamsBytes<void> = 0;

#define HONE_PLAN_OP(number, symbol, word, family, params, work, int8, gpu, ...) \
  constexpr OperandRule k##symbol##Operands[] = {__VA_ARGS__};
#include "native/engine/plan_ops.def"

constexpr PlanOpRule make_rule(const char* word, std::span<const OperandRule> operands, uint32_t params_bytes,
                               bool moves, const char* gpu_reason, Fault (*check)(const NodeView&),
                               Status (*make)(const StepContext&, std::unique_ptr<Step>*)) {
  PlanOpRule rule = {word, {}, {}, 0, 0, params_bytes, moves, gpu_reason, check, make};
  size_t outputs = 0;
  for (const OperandRule& operand : operands) {
    outputs += operand.is_output ? 1 : 0;
    if (!operand.is_optional) ++(operand.is_output ? rule.least_outputs : rule.least_inputs);
  }
  rule.outputs = operands.first(outputs);
  rule.inputs = operands.subspan(outputs);
  return rule;
}

constexpr PlanOpRule kRules[] = {
#define HONE_PLAN_OP(number, symbol, word, family, params, work, int8, gpu, ...) \
  make_rule(#word, k##symbol##Operands, kParamsBytes<params>, work, gpu, check_##word, make_##word),
#include "native/engine/plan_ops.def"
};

/// Numbers are places in the table.
constexpr bool numbers_ascend() {
  for (uint32_t i = 0; i < kPlanOpCount; ++i)
    if (static_cast<uint32_t>(kPlanOps[i]) != i) return false;
  return true;
}
static_assert(numbers_ascend());

/// Outputs before inputs, what may be left out last on its side, a reason wherever there is no GPU row.
constexpr bool is_sound(const PlanOpRule& rule) {
  if (rule.outputs.empty() || rule.least_outputs == 0) return false;
  for (size_t i = 0; i < rule.outputs.size(); ++i)
    if (!rule.outputs[i].is_output || rule.outputs[i].is_in_place ||
        rule.outputs[i].is_optional != (i >= rule.least_outputs))
      return false;
  for (size_t i = 0; i < rule.inputs.size(); ++i)
    if (rule.inputs[i].is_output || rule.inputs[i].is_optional != (i >= rule.least_inputs)) return false;
  return rule.gpu_reason == nullptr || rule.gpu_reason[0] != '\0';
}
constexpr bool all_sound() {
  for (const PlanOpRule& rule : kRules)
    if (!is_sound(rule)) return false;
  return true;
}
static_assert(all_sound());

/// The arithmetic above counts what may be missing on each side of a row with several outputs.
constexpr OperandRule kSeveral[] = {out("y", kReal), out("state", kReal).optional(), in("x", kReal),
                                    in("start", kReal).optional()};
constexpr PlanOpRule kSeveralRule = make_rule("", kSeveral, 0, kComputes, "none", nullptr, nullptr);
static_assert(is_sound(kSeveralRule) && kSeveralRule.least_outputs == 1 && kSeveralRule.outputs.size() == 2 &&
              kSeveralRule.least_inputs == 1 && kSeveralRule.inputs.size() == 2);

}  // namespace

const PlanOpRule& find_rule(PlanOp op) { return kRules[static_cast<size_t>(op)]; }

const char* describe_op(PlanOp op) { return find_rule(op).word; }

}  // namespace hone
