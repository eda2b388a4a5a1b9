#pragma once
#include "native/kernels/simd.h"

#include "native/core/binary_operation.h"
#include "native/kernels/math_lanes.h"

namespace hone {
namespace {

/// a op b, lane by lane, as binary_ref.h defines it.
template <BinaryOperation kOperation>
inline VecF apply(VecF a, VecF b) {
  if constexpr (kOperation == BinaryOperation::kAdd) {
    return add(a, b);
  } else if constexpr (kOperation == BinaryOperation::kSubtract) {
    return subtract(a, b);
  } else if constexpr (kOperation == BinaryOperation::kDivide) {
    return divide(a, b);
  } else if constexpr (kOperation == BinaryOperation::kMaximum) {
    return maximum(a, b);
  } else if constexpr (kOperation == BinaryOperation::kMinimum) {
    return minimum(a, b);
  } else if constexpr (kOperation == BinaryOperation::kPower) {
    return pow_lanes(a, b);
  } else if constexpr (kOperation == BinaryOperation::kRemainder) {
    return remainder_lanes(a, b);
  } else if constexpr (kOperation == BinaryOperation::kSlope) {
    return select(less(a, splat(0.0f)), multiply(b, a), a);
  } else {
    static_assert(kOperation == BinaryOperation::kMultiply, "define the operation here");
    return multiply(a, b);
  }
}

}  // namespace
}  // namespace hone
