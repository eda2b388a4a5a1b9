#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// Elements of x picked along one axis: y[p] = x[p with p[axis] = indices[p]], p over the extents of indices.
/// Negative indices count from the end; those beyond either end set *out_of_range and read the nearest
/// element. No overlap. ref is the only row: it goes from address to address.
struct GatherElementsArgs {
  uint8_t* y;
  const uint8_t* x;
  const void* indices;
  ElementType index_type;  ///< int32 or int64
  int32_t element_bytes;   ///< 1, 2, 4 or 8
  int32_t rank;            ///< 1..8
  int32_t axis;
  int64_t length;          ///< of x along the axis
  int64_t extents[8];      ///< of indices and y
  int64_t x_strides[8];    ///< elements
  uint32_t* out_of_range;  ///< set to 1, never to 0
};

/// An item is an element of y; blocks are not used.
struct GatherElementsRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const GatherElementsArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const GatherElementsRow kGatherElementsRows[];
extern const int kGatherElementsRowCount;

}  // namespace hone
