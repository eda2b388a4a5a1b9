#pragma once
#include "native/core/reduce_operation.h"
#include "native/kernels/math_lanes.h"

// What each row of reduce_operations.def computes, over lanes (see math_lanes.h).
namespace hone {
namespace {

template <ReduceOperation kOperation>
struct ReduceFunction {
  static constexpr bool kMultiplies = kOperation == ReduceOperation::kProduct;
  /// Whether the largest element is needed first.
  static constexpr bool kShifts = kOperation == ReduceOperation::kLogSumExp;
  /// What joining changes nothing.
  static constexpr float kNeutral = kMultiplies ? 1.0f : 0.0f;
  /// An element whose map is neutral.
  static constexpr float kIgnored = kShifts ? -__builtin_inff() : kNeutral;

  /// What elements are reduced by: the largest, where it is finite.
  static VecF shift_of(VecF largest) {
    const VecF zero = splat(0.0f);
    return select(less(absolute(largest), splat(__builtin_inff())), largest, zero);
  }

  static VecF map([[maybe_unused]] VecF x, [[maybe_unused]] VecF shift) {
    using enum ReduceOperation;
    if constexpr (kOperation == kSumSquare || kOperation == kL2) {
      return multiply(x, x);
    } else if constexpr (kOperation == kL1) {
      return absolute(x);
    } else if constexpr (kOperation == kLogSumExp) {
      return exp_lanes(subtract(x, shift));
    } else {
      static_assert(
          kOperation == kSum || kOperation == kMean || kOperation == kLogSum || kOperation == kProduct,
          "define the reduction here");
      return x;
    }
  }

  static VecF join(VecF a, VecF b) {
    if constexpr (kMultiplies) return multiply(a, b);
    return add(a, b);
  }

  static VecF finish(VecF total, [[maybe_unused]] int64_t length, [[maybe_unused]] VecF shift) {
    using enum ReduceOperation;
    if constexpr (kOperation == kMean) return divide(total, splat(static_cast<float>(length)));
    if constexpr (kOperation == kL2) return square_root(total);
    if constexpr (kOperation == kLogSum) return log_lanes(total);
    if constexpr (kOperation == kLogSumExp) return add(log_lanes(total), shift);
    return total;
  }
};

/// Bounds of a result, and the one NaN that every row writes.
inline VecF bound_result(VecF y, float lo, float hi) {
  y = clamp_keep_nan(y, splat(lo), splat(hi));
  return select(equal(y, y), y, splat(__builtin_nanf("")));
}

}  // namespace
}  // namespace hone
