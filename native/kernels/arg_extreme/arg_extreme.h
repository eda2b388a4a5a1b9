#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/element_type.h"
#include "native/core/tile.h"

namespace hone {

/// Place of the largest or smallest element along `length` of x [outer, length, inner], as y [outer, inner]:
/// the first of equal ones, or the last. A NaN is neither, unless it stands at the first place, which then is
/// the result. Exact. No overlap.
struct ArgExtremeArgs {
  int64_t* y;
  const void* x;
  ElementType type;  ///< neither bool nor float16
  int64_t length;    ///< below 2^31
  int64_t inner;
  bool smallest;
  bool last;
};

/// An item is an element of y; blocks are not used.
struct ArgExtremeRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ArgExtremeArgs& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ArgExtremeRow kArgExtremeRows[];
extern const int kArgExtremeRowCount;

}  // namespace hone
