#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/binary_operation.h"
#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Element-wise float operation of two operands with an optional fused clamp: y = clamp(a op b, lo, hi); one
/// rounding. Clamp is max(min(v, hi), lo) with NaN kept. b repeats, and rows lie apart, as in binary_s8.
/// Exact. y may be a or b.
struct BinaryF32Args {
  float* y;
  const float* a;
  const float* b;
  int64_t b_count;
  int64_t length;
  ptrdiff_t a_stride, b_stride, y_stride;
  BinaryOperation operation;
  float lo;  ///< -infinity: none
  float hi;  ///< +infinity: none
};

/// An item is an element; blocks are not used.
struct BinaryF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const BinaryF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const BinaryF32Row kBinaryF32Rows[];
extern const int kBinaryF32RowCount;

}  // namespace hone
