#pragma once
#include <cstdint>

namespace hone {

/// What becomes of an element that an update meets; the number is that of plan files.
enum class ScatterCombination : int32_t { kReplace = 0, kAdd = 1, kMultiply = 2, kMaximum = 3, kMinimum = 4 };
inline constexpr int32_t kScatterCombinationCount = 5;

}  // namespace hone
