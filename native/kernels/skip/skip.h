#pragma once
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Whether the nodes that only one side of a choice reads are left out: y = (condition is true) == value.
/// What the program makes of it is its own business: results of a skipped node are never read. ref is the
/// only row.
struct SkipArgs {
  uint8_t* y;
  const uint8_t* x;  ///< the condition: what is not 0 is true
  int32_t value;     ///< 0 or 1
};

/// There is one item; blocks are not used.
struct SkipRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const SkipArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const SkipRow kSkipRows[];
extern const int kSkipRowCount;

}  // namespace hone
