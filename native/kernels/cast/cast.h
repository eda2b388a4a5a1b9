#pragma once
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// Elements of one type as another. Floats to integers drop the fraction and saturate, NaN becomes 0;
/// integers to narrower ones keep their low bits; bool is 0 or 1, and every number but 0 is 1 as bool; floats
/// and integers round to the nearest float, ties to even. Exact.
struct CastArgs {
  void* y;
  const void* x;
  ElementType y_type, x_type;
};

/// An item is an element; blocks are not used.
struct CastRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const CastArgs& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const CastRow kCastRows[];
extern const int kCastRowCount;

}  // namespace hone
