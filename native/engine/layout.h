#pragma once
#include <cstdint>
#include <vector>

#include "native/engine/plan.h"

namespace hone {

/// Where a tensor lies in the memory of its place.
struct TensorLayout {
  uint64_t offset;  ///< bytes
  int64_t pitch;    ///< elements from one row to the next, at least a row
};

/// Where the tensors of a variant lie, and how much memory that takes.
struct Layout {
  const PlanTensor* first_tensor;
  std::vector<TensorLayout> tensors;  ///< by index within the variant
  uint64_t arena_bytes, state_bytes;

  const TensorLayout& of(const PlanTensor& tensor) const {
    return tensors[static_cast<size_t>(&tensor - first_tensor)];
  }
};

/// As the plan says.
inline Layout plan_layout(const Plan& plan, const PlanVariant& variant) {
  Layout layout = {plan.tensors().data() + variant.first_tensor, {}, variant.arena_bytes, plan.state_bytes()};
  for (const PlanTensor& tensor : plan.tensors().subspan(variant.first_tensor, variant.tensor_count))
    layout.tensors.push_back({tensor.offset, row_pitch(tensor)});
  return layout;
}

}  // namespace hone
