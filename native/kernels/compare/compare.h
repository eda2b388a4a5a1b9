#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/comparison.h"
#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// Comparison of two numbers of one type, element for element: y = a op b ? 1 : 0. Every comparison with NaN
/// is false but not_equal. b has as many elements as a, or a divisor of them: it repeats. bool operands are
/// read as 0 or 1. Exact.
struct CompareArgs {
  uint8_t* y;
  const void* a;
  const void* b;
  int64_t b_count;
  ElementType type;  ///< no float16
  Comparison comparison;
};

/// An item is an element; blocks are not used.
struct CompareRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const CompareArgs& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const CompareRow kCompareRows[];
extern const int kCompareRowCount;

}  // namespace hone
