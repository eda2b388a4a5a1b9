#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// The `count` largest elements of each row of x [rows, length], or the smallest, from the best on, as y
/// [rows, count], and their places; of equal ones the first comes first, a NaN after all numbers. Exact. No
/// overlap. ref is the only row: it keeps a heap in y.
struct TopKArgs {
  void* y;
  int64_t* places;
  const void* x;
  ElementType type;  ///< neither bool nor float16
  int64_t length;
  int64_t count;  ///< at most length
  bool smallest;
};

/// An item is a row; blocks are not used.
struct TopKRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const TopKArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const TopKRow kTopKRows[];
extern const int kTopKRowCount;

}  // namespace hone
