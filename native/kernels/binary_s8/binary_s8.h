#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/binary_operation.h"
#include "native/core/cpu_features.h"
#include "native/core/requantize.h"
#include "native/core/tile.h"

namespace hone {

/// Element-wise int8 operation of two operands with the literal QDQ formula (float32, each operation rounded
/// once):
///   fa = fl((a - a_zero_point) * a_scale), fb alike
///   v  = fl((fa op fb) / out_scale), the inner result rounded to float32 first
///   y  = rne(clamp(v, range.lo, range.hi)) + range.zero_point
/// Every row equals ref bit for bit. y may be a or b. b may repeat: see b_count.
struct BinaryS8Args {
  int8_t* y;
  const int8_t* a;
  const int8_t* b;
  int64_t b_count;     ///< elements of b; element i of a meets element i % b_count of b (count: same shape;
                       ///< channels; 1)
  int64_t length;      ///< elements per row of a and y; without gaps between rows all are one
  ptrdiff_t a_stride;  ///< elements from one row of a to the next
  ptrdiff_t b_stride;  ///< the same of b, when it is longer than a row: then it is whole rows
  ptrdiff_t y_stride;  ///< the same of y
  BinaryOperation operation;
  AddScales scales;
  OutputRange range;
};

/// An item is an element (row * length + i); blocks are not used.
struct BinaryS8Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const BinaryS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const BinaryS8Row kBinaryS8Rows[];
extern const int kBinaryS8RowCount;

}  // namespace hone
