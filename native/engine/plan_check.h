#pragma once
#include <cstdint>

#include "native/core/status.h"
#include "native/engine/plan.h"

namespace hone {

/// Checks everything behind the header of a plan whose sections are in bounds; gives the size of the state
/// memory. Trusts no byte: records, operands and what may be written here, by the rows of plan_ops.def;
/// extents, parameters and values by each operation's own check. Time is linear in the file, and in the
/// weights as often as nodes use them: that is bounded, too.
Status check_plan(const Plan& plan, uint64_t* state_bytes);

}  // namespace hone
