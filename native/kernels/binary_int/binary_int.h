#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/integer_operation.h"
#include "native/core/tile.h"

namespace hone {

/// Element-wise operation of two integers of one type, modulo 2^n: y = a op b. b has as many elements as a,
/// or a divisor of them: it repeats. Divide drops the fraction; modulo has the sign of b, remainder that of
/// a; all three give 0 where b is 0. Power of a negative exponent is the integer part of the fraction (0 for
/// a base of 0). And, or and xor work on bits; bool operands are read as 0 or 1. Exact. y may be a or b.
struct BinaryIntArgs {
  void* y;
  const void* a;
  const void* b;
  int64_t b_count;
  ElementType type;  ///< no float
  IntegerOperation operation;
};

/// An item is an element; blocks are not used.
struct BinaryIntRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const BinaryIntArgs& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const BinaryIntRow kBinaryIntRows[];
extern const int kBinaryIntRowCount;

}  // namespace hone
