#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Relu, Relu6 and Clip on floats: y = clamp(x, lo, hi), NaN kept. Exact. y may be x.
struct ClampF32Args {
  float* y;
  const float* x;
  float lo;
  float hi;
};

/// An item is an element; blocks are not used.
struct ClampF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ClampF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ClampF32Row kClampF32Rows[];
extern const int kClampF32RowCount;

}  // namespace hone
