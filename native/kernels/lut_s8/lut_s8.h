#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Table lookup on bytes: y[i] = table[uint8(x[i])]. The table is indexed by the byte's bit pattern. Serves
/// every unary function on int8, changes of scale, and the shift between int8 and uint8. Exact. y may be x.
/// Measured: the AVX2 row does 6.6 bytes per ns where loads one by one do 1.5; it falls back to them below
/// 128 bytes.
struct LutS8Args {
  uint8_t* y;
  const uint8_t* x;
  const uint8_t* table;  ///< 256 entries
  int64_t length;        ///< elements per row; without gaps between rows all are one
  ptrdiff_t x_stride;    ///< elements from one row of x to the next
  ptrdiff_t y_stride;    ///< elements from one row of y to the next
};

/// An item is an element (row * length + i); blocks are not used.
struct LutS8Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const LutS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const LutS8Row kLutS8Rows[];
extern const int kLutS8RowCount;

}  // namespace hone
