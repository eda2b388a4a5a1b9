#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/matmul.h"

namespace hone {

/// Matrix products of two operands that are both computed: for every product p of the batch
///   y[p, m, n] = clamp(fl(alpha * acc), lo, hi),   acc = 0, then fma(a[p, m, k], b[p, k, n], acc), k
///   ascending
/// Clamp is max(min(v, hi), lo) with NaN kept. y lies on neither operand.
struct MatmulF32Args {
  float* y;
  const float* a;
  const float* b;
  void* scratch;
  MatmulLayout layout;
  float alpha;
  float lo;  ///< -infinity: none
  float hi;  ///< +infinity: none
};

/// An item is a row of y; a block is `block_outputs` consecutive columns.
struct MatmulF32Row {
  const char* name;
  CpuFeatures needs;
  int32_t block_outputs;
  size_t (*scratch_bytes)(const MatmulLayout& layout);
  void (*run)(const MatmulF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const MatmulF32Row kMatmulF32Rows[];
extern const int kMatmulF32RowCount;

}  // namespace hone
