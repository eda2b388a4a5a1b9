#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"
#include "native/kernels/scatter_combination.h"

namespace hone {

/// Slices of x replaced at tuples of indices: y = x, then y[indices[i, 0], ..., indices[i, depth - 1], :] =
/// combine(that, updates[i, :]) for i in order. Negative indices count from the end; those beyond either end
/// set *out_of_range and change nothing. y may be x. One tile does all of it.
struct ScatterNdArgs {
  void* y;
  const void* x;
  const void* indices;
  const void* updates;
  ElementType type, index_type;  ///< no float16; int32 or int64
  ScatterCombination combination;
  int64_t y_count;
  int64_t count;           ///< tuples
  int32_t depth;           ///< 1..8
  int64_t lengths[8];      ///< extents of y that indices count
  int64_t slice;           ///< elements of one slice
  uint32_t* out_of_range;  ///< set to 1, never to 0
};

/// There is one item: all of it; blocks are not used.
struct ScatterNdRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ScatterNdArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const ScatterNdRow kScatterNdRows[];
extern const int kScatterNdRowCount;

}  // namespace hone
