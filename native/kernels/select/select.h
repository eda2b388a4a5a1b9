#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// y = condition ? a : b, element for element, whatever elements stand for. Each operand has as many elements
/// as y, or a divisor of them: it repeats. y may be a or b where that has as many elements.
struct SelectArgs {
  void* y;
  const uint8_t* condition;  ///< what is not 0 is true
  const void* a;
  const void* b;
  int64_t condition_count, a_count, b_count;
  int32_t element_bytes;  ///< 1, 2, 4 or 8
};

/// An item is an element; blocks are not used.
struct SelectRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const SelectArgs& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const SelectRow kSelectRows[];
extern const int kSelectRowCount;

}  // namespace hone
