#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/requantize.h"
#include "native/core/tile.h"
#include "native/kernels/matmul.h"

namespace hone {

/// Matrix products of two int8 operands that are both computed: for every product p of the batch
///   y[p, m, n] = requantize(sum over k of (a[p, m, k] - za) * (b[p, k, n] - zb))
/// with int32 sums modulo 2^32, and requantize(s) = rne(clamp(fl(fl(s) * multiplier), lo, hi)) + zero point.
/// y lies on neither operand.
struct MatmulS8Args {
  int8_t* y;
  const int8_t* a;
  const int8_t* b;
  void* scratch;
  MatmulLayout layout;
  int32_t a_zero_point, b_zero_point;
  float multiplier;
  OutputRange range;
};

/// An item is a row of y; a block is `block_outputs` consecutive columns.
struct MatmulS8Row {
  const char* name;
  CpuFeatures needs;
  int32_t block_outputs;
  size_t (*scratch_bytes)(const MatmulLayout& layout);
  void (*run)(const MatmulS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const MatmulS8Row kMatmulS8Rows[];
extern const int kMatmulS8RowCount;

}  // namespace hone
