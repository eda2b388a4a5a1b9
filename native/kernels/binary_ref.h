#pragma once
#include "native/kernels/simd_scalar.h"

#include "native/core/binary_operation.h"
#include "native/kernels/extremes.h"
#include "native/kernels/math_lanes.h"

namespace hone {
namespace {

/// a op b, rounded once: the definition of every binary operation. Maximum and minimum as extremes.h has
/// them; a power as math_lanes.h has it, within 2 units in the last place; a
/// remainder (sign of a) is exact.
template <BinaryOperation kOperation>
inline float apply(float a, float b) {
  if constexpr (kOperation == BinaryOperation::kAdd) {
    return a + b;
  } else if constexpr (kOperation == BinaryOperation::kSubtract) {
    return a - b;
  } else if constexpr (kOperation == BinaryOperation::kDivide) {
    return a / b;
  } else if constexpr (kOperation == BinaryOperation::kMaximum) {
    return maximum(a, b);
  } else if constexpr (kOperation == BinaryOperation::kMinimum) {
    return minimum(a, b);
  } else if constexpr (kOperation == BinaryOperation::kPower) {
    return pow_lanes(a, b);
  } else if constexpr (kOperation == BinaryOperation::kRemainder) {
    return remainder_lanes(a, b);
  } else if constexpr (kOperation == BinaryOperation::kSlope) {
    return a < 0 ? b * a : a;
  } else {
    static_assert(kOperation == BinaryOperation::kMultiply, "define the operation here");
    return a * b;
  }
}

inline float apply(BinaryOperation operation, float a, float b) {
  switch (operation) {
#define HONE_BINARY_OPERATION(number, symbol, ...) \
  case BinaryOperation::k##symbol:                 \
    return apply<BinaryOperation::k##symbol>(a, b);
#include "native/core/binary_operations.def"
  }
  return 0;  // plans with another number are refused
}

}  // namespace
}  // namespace hone
