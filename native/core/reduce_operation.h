#pragma once
#include <cstdint>

namespace hone {

/// Reduction of float32 that accumulates; the number is that of plan files.
enum class ReduceOperation : int32_t {
#define HONE_REDUCE_OPERATION(number, symbol, ...) k##symbol = number,
#include "native/core/reduce_operations.def"
};

inline constexpr ReduceOperation kReduceOperations[] = {
#define HONE_REDUCE_OPERATION(number, symbol, ...) ReduceOperation::k##symbol,
#include "native/core/reduce_operations.def"
};
/// Time of one element in units of an addition.
inline constexpr int32_t kReduceCosts[] = {
#define HONE_REDUCE_OPERATION(number, symbol, word, cost) cost,
#include "native/core/reduce_operations.def"
};
inline constexpr int32_t kReduceOperationCount = sizeof(kReduceOperations) / sizeof(kReduceOperations[0]);

}  // namespace hone
