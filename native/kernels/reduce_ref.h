#pragma once
#include "native/core/tile.h"
#include "native/kernels/reduction.h"

namespace hone {
namespace {

/// y = join(x[0], x[1], ...), from first to last.
template <typename T, typename Join>
inline void reduce_ref(const Reduction<T>& args, const Tile& tile, const Join& join) {
  for (int64_t item = tile.begin; item < tile.end; item++) {
    const int64_t row = item / args.inner, column = item % args.inner;
    const T* x = args.x + row * args.x_outer_stride + column;
    T m = x[0];
    for (int64_t i = 1; i < args.length; i++) m = join(m, x[i * args.x_stride]);
    args.y[row * args.y_stride + column] = m;
  }
}

}  // namespace
}  // namespace hone
