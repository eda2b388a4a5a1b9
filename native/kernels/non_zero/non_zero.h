#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

inline constexpr int kNonZeroMaxRank = 8;

/// The places of the elements of x that are not 0 (a NaN is none), row-major, one column each: along dim d
/// element i stands at y[d * size + i], of y [rank, size] with the size of x. `count` is how many there are;
/// columns behind them are 0. Exact. No overlap. ref is the only row: it goes through x once.
struct NonZeroArgs {
  int64_t* y;
  int64_t* count;
  const void* x;
  ElementType type;  ///< not float16
  int32_t rank;      ///< 1 to 8
  int64_t extents[kNonZeroMaxRank];
};

/// There is one item, all of x; blocks are not used.
struct NonZeroRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const NonZeroArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const NonZeroRow kNonZeroRows[];
extern const int kNonZeroRowCount;

}  // namespace hone
