#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Writes one value to every element: y[i] = value, elements of 1, 2, 4 or 8 bytes. ref is the only row:
/// memset and a loop that every compiler vectorizes run at the speed of memory, so a row per instruction set
/// has nothing to win.
struct FillArgs {
  uint8_t* y;
  int64_t length;         ///< elements per row; without gaps between rows all are one
  ptrdiff_t y_stride;     ///< elements from one row to the next
  uint64_t value;         ///< bit pattern, its low bytes for smaller elements
  int32_t element_bytes;  ///< 1, 2, 4 or 8
};

/// An item is an element (row * length + i); blocks are not used.
struct FillRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const FillArgs& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const FillRow kFillRows[];
extern const int kFillRowCount;

}  // namespace hone
