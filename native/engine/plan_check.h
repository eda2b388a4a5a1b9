#pragma once
#include <cstdint>
#include <string>

#include "native/core/status.h"
#include "native/engine/plan.h"

namespace hone {

/// Checks everything behind the header of a plan whose sections are in bounds; gives the size of the state
/// memory. Trusts no byte. Time is linear in the file, and in the weights as often as nodes use them: that is
/// bounded, too.
Status check_plan(const Plan& plan, uint64_t* state_bytes);

/// Checks one node whose operands exist and whose parameters have the right size: types, places, ranks,
/// shapes, windows, scales, and that no int32 accumulator overflows. Empty when all is well, else the fault
/// in words.
std::string find_node_fault(const Plan& plan, const PlanNode& node);

/// Largest element count and window extent that kernels see: indices and sums of them stay inside int32.
inline constexpr int64_t kPlanMaxWindowReach = int64_t{1} << 30;
/// Most elements of a pooling window, and of the windows of all average pools: an int32 sum of 8-bit
/// differences cannot overflow, and their tables stay small.
inline constexpr int64_t kPlanMaxPoolArea = int64_t{1} << 23;

}  // namespace hone
