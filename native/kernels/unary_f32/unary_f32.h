#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/core/unary_operation.h"

namespace hone {

/// Element-wise float function of one operand with an optional fused clamp: y = clamp(f(x), lo, hi); each NaN
/// is 0x7FC00000, as its sign and payload would be the machine's. What the functions are, and how exact,
/// stands in unary_function.h and math_lanes.h: one text of separately rounded operations for all rows. y may
/// be x.
struct UnaryF32Args {
  float* y;
  const float* x;
  int64_t length;      ///< elements per row; without gaps between rows all are one
  ptrdiff_t x_stride;  ///< elements from one row of x to the next
  ptrdiff_t y_stride;  ///< elements from one row of y to the next
  UnaryOperation operation;
  float alpha, beta;  ///< what the function makes of them
  float lo;           ///< -infinity: none
  float hi;           ///< +infinity: none
};

/// An item is an element (row * length + i); blocks are not used.
struct UnaryF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const UnaryF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const UnaryF32Row kUnaryF32Rows[];
extern const int kUnaryF32RowCount;

}  // namespace hone
