#pragma once
#include <cstdint>

namespace hone {

/// Element-wise operation of two integers; the number is that of plan files.
enum class IntegerOperation : int32_t {
#define HONE_INTEGER_OPERATION(number, symbol, ...) k##symbol = number,
#include "native/core/integer_operations.def"
};

inline constexpr IntegerOperation kIntegerOperations[] = {
#define HONE_INTEGER_OPERATION(number, symbol, ...) IntegerOperation::k##symbol,
#include "native/core/integer_operations.def"
};
inline constexpr int32_t kIntegerOperationCount = sizeof(kIntegerOperations) / sizeof(kIntegerOperations[0]);

}  // namespace hone
