#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// y = x, and a mark where a condition does not hold that the plan takes for granted: it was compiled without
/// the branch that the condition asks for. y may be x, else they share no memory. ref is the only row.
struct RequireArgs {
  void* y;
  const void* x;
  const uint8_t* condition;  ///< what is not 0 is true
  uint32_t* out_of_range;    ///< set to 1 where it does not hold
  size_t bytes;              ///< of x and y
};

/// There is one item; blocks are not used.
struct RequireRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const RequireArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const RequireRow kRequireRows[];
extern const int kRequireRowCount;

}  // namespace hone
