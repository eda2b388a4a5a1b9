#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// Running sums along `length` of x and y [outer, length, inner], in the order of the sums: from the first
/// element on, or from the last when `reverse`; without the element itself when `exclusive`. Floats are
/// rounded once per addition, integers wrap around. No overlap. ref is the only row: an addition waits for
/// the one before it, and columns are loops that every compiler vectorizes.
struct CumulativeSumArgs {
  void* y;
  const void* x;
  ElementType type;  ///< float32, int32 or int64
  int64_t length;
  int64_t inner;
  bool exclusive;
  bool reverse;
};

/// An item is a column (o * inner + c); blocks are not used.
struct CumulativeSumRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const CumulativeSumArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const CumulativeSumRow kCumulativeSumRows[];
extern const int kCumulativeSumRowCount;

}  // namespace hone
