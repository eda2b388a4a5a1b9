#pragma once
#include <cstdint>

namespace hone {

/// Element-wise operation of two operands; the number is that of plan files.
enum class BinaryOperation : int32_t {
#define HONE_BINARY_OPERATION(number, symbol, ...) k##symbol = number,
#include "native/core/binary_operations.def"
};

inline constexpr BinaryOperation kBinaryOperations[] = {
#define HONE_BINARY_OPERATION(number, symbol, ...) BinaryOperation::k##symbol,
#include "native/core/binary_operations.def"
};
/// Time of one element in units of an addition.
inline constexpr int32_t kBinaryCosts[] = {
#define HONE_BINARY_OPERATION(number, symbol, word, order, cost) cost,
#include "native/core/binary_operations.def"
};
inline constexpr int32_t kBinaryOperationCount = sizeof(kBinaryOperations) / sizeof(kBinaryOperations[0]);

}  // namespace hone
