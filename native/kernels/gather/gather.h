#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// Slices of x picked along an axis, whatever elements stand for: y[o, i, :] = x[o, indices[i], :]. Negative
/// indices count from the end; those beyond either end set *out_of_range and read the nearest slice. No
/// overlap. ref is the only row: it copies slices.
struct GatherArgs {
  uint8_t* y;
  const uint8_t* x;
  const void* indices;
  ElementType index_type;  ///< int32 or int64
  int64_t length;          ///< slices of x along the axis
  int64_t count;           ///< indices
  int64_t slice_bytes;
  uint32_t* out_of_range;  ///< set to 1, never to 0
};

/// An item is a slice of y (o * count + i); blocks are not used.
struct GatherRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const GatherArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const GatherRow kGatherRows[];
extern const int kGatherRowCount;

}  // namespace hone
