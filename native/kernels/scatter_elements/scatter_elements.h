#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"
#include "native/kernels/scatter_combination.h"

namespace hone {

/// Elements of x replaced along one axis: y = x, then y[p with p[axis] = indices[p]] = combine(that,
/// updates[p]) for p over the extents of indices in order, so that of equal places the last wins. Negative
/// indices count from the end; those beyond either end set *out_of_range and change nothing. y may be x. One
/// tile does all of it.
struct ScatterElementsArgs {
  void* y;
  const void* x;
  const void* indices;
  const void* updates;
  ElementType type, index_type;  ///< no float16; int32 or int64
  ScatterCombination combination;
  int32_t rank;  ///< 1..8
  int32_t axis;
  int64_t y_count;
  int64_t length;          ///< of y along the axis
  int64_t extents[8];      ///< of indices and updates
  int64_t y_strides[8];    ///< elements
  uint32_t* out_of_range;  ///< set to 1, never to 0
};

/// There is one item: all of it; blocks are not used.
struct ScatterElementsRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ScatterElementsArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const ScatterElementsRow kScatterElementsRows[];
extern const int kScatterElementsRowCount;

}  // namespace hone
