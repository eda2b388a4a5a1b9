#pragma once
#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/reduction.h"

namespace hone {

/// Largest element along one dimension. Exact.
struct ReduceMaxS8Args : Reduction<int8_t> {};

/// An item is an element of y; blocks are not used.
struct ReduceMaxS8Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ReduceMaxS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ReduceMaxS8Row kReduceMaxS8Rows[];
extern const int kReduceMaxS8RowCount;

}  // namespace hone
