#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// Slices of x picked by tuples of indices: y[b, i, :] = x[b, indices[b, i, 0], ..., indices[b, i, depth -
/// 1], :]. Negative indices count from the end; those beyond either end set *out_of_range and read the
/// nearest slice. No overlap. ref is the only row: it copies slices.
struct GatherNdArgs {
  uint8_t* y;
  const uint8_t* x;
  const void* indices;
  ElementType index_type;  ///< int32 or int64
  int64_t count;           ///< tuples of one batch
  int32_t depth;           ///< 1..8
  int64_t lengths[8];      ///< extents of x that indices count
  int64_t slice_bytes;
  uint32_t* out_of_range;  ///< set to 1, never to 0
};

/// An item is a slice of y (b * count + i); blocks are not used.
struct GatherNdRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const GatherNdArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const GatherNdRow kGatherNdRows[];
extern const int kGatherNdRowCount;

}  // namespace hone
