#pragma once
#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/reduction.h"

namespace hone {

/// Smallest element along one dimension. A NaN makes the result NaN; of zeros -0 is smaller than 0.
struct ReduceMinF32Args : Reduction<float> {};

/// An item is an element of y; blocks are not used.
struct ReduceMinF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ReduceMinF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ReduceMinF32Row kReduceMinF32Rows[];
extern const int kReduceMinF32RowCount;

}  // namespace hone
