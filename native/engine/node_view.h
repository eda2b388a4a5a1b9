#pragma once
#include <algorithm>
#include <cstdint>

#include "native/engine/plan.h"

namespace hone {

/// One node of a plan with its operands, as checks and preparations see it.
struct NodeView {
  const Plan& plan;
  uint32_t node_index;

  const PlanNode& node() const { return plan.nodes()[node_index]; }
  const PlanTensor& y(uint32_t index = 0) const { return plan.output(node(), index); }
  /// Input `index`, which must be there.
  const PlanTensor& x(uint32_t index) const { return *plan.input(node(), index); }
  /// Input `index`, or null.
  const PlanTensor* optional(uint32_t index) const { return plan.input(node(), index); }
  template <typename Params>
  const Params& params() const {
    return plan.params<Params>(node());
  }
};

inline bool same_dims(const PlanTensor& a, const PlanTensor& b) {
  return a.rank == b.rank && std::equal(a.dims, a.dims + a.rank, b.dims);
}

}  // namespace hone
