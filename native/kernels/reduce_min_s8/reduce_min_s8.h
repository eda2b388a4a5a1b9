#pragma once
#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/reduction.h"

namespace hone {

/// Smallest element along one dimension. Exact.
struct ReduceMinS8Args : Reduction<int8_t> {};

/// An item is an element of y; blocks are not used.
struct ReduceMinS8Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ReduceMinS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ReduceMinS8Row kReduceMinS8Rows[];
extern const int kReduceMinS8RowCount;

}  // namespace hone
