#pragma once
#include <cstdint>

namespace hone {

/// Element-wise float function of one operand; the number is that of plan files.
enum class UnaryOperation : int32_t {
#define HONE_UNARY_OPERATION(number, symbol, ...) k##symbol = number,
#include "native/core/unary_operations.def"
};

inline constexpr UnaryOperation kUnaryOperations[] = {
#define HONE_UNARY_OPERATION(number, symbol, ...) UnaryOperation::k##symbol,
#include "native/core/unary_operations.def"
};
/// Time of one element in units of an addition.
inline constexpr int32_t kUnaryCosts[] = {
#define HONE_UNARY_OPERATION(number, symbol, word, cost) cost,
#include "native/core/unary_operations.def"
};
inline constexpr int32_t kUnaryOperationCount = sizeof(kUnaryOperations) / sizeof(kUnaryOperations[0]);

}  // namespace hone
