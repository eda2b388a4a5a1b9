#pragma once
#include "native/core/cpu_features.h"
#include "native/core/reduce_operation.h"
#include "native/core/tile.h"
#include "native/kernels/reduction.h"

namespace hone {

/// A reduction of reduce_operations.def with an optional fused clamp: y = clamp(finish(sum of map(x_i)), lo,
/// hi), the product for kProduct; map and finish stand in reduce_function.h. Every operation is rounded once,
/// in this order:
///   inner = 1    Element i goes to partial i % 16, ascending, over 2048 elements; then these partials go to
///                16 totals, and the next 2048 begin anew. Last comes the fixed tree 16 -> 8 -> 4 -> 2 -> 1
///                that adds total j + half to total j.
///   inner > 1    One partial per column, ascending, over 128 elements; then it goes to the total of the
///                column, and the next 128 begin anew.
/// So the error of a sum stays below (length / 2048 + 132) or (length / 128 + 128) units of 2^-24 of the sum
/// of |map(x_i)|. A NaN makes a NaN, and every row writes the same one.
struct ReduceF32Args : Reduction<float> {
  ReduceOperation operation;
  float lo;  ///< -infinity: none
  float hi;  ///< +infinity: none
};

/// Elements in a row of additions.
inline constexpr int64_t kReduceBlock = 128;

/// An item is an element of y; blocks are not used.
struct ReduceF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ReduceF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ReduceF32Row kReduceF32Rows[];
extern const int kReduceF32RowCount;

}  // namespace hone
