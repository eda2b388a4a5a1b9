#pragma once
#include <cstdint>

namespace hone {

/// Comparison of two numbers; the number is that of plan files.
enum class Comparison : int32_t {
#define HONE_COMPARISON(number, symbol, ...) k##symbol = number,
#include "native/core/comparisons.def"
};

inline constexpr Comparison kComparisons[] = {
#define HONE_COMPARISON(number, symbol, ...) Comparison::k##symbol,
#include "native/core/comparisons.def"
};
inline constexpr int32_t kComparisonCount = sizeof(kComparisons) / sizeof(kComparisons[0]);

}  // namespace hone
