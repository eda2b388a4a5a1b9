#pragma once
#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/reduction.h"

namespace hone {

/// Largest element along one dimension. A NaN makes the result NaN; of zeros 0 is larger than -0.
struct ReduceMaxF32Args : Reduction<float> {};

/// An item is an element of y; blocks are not used.
struct ReduceMaxF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ReduceMaxF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ReduceMaxF32Row kReduceMaxF32Rows[];
extern const int kReduceMaxF32RowCount;

}  // namespace hone
