#pragma once
#include "native/kernels/clamp_f32/clamp_f32.h"
#include "native/kernels/row_parts.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

inline void clamp_run(float* y, const float* x, int64_t i, int64_t end, VecF lo, VecF hi) {
  for (; i + 4 * kLanes <= end; i += 4 * kLanes) {
    VecF v[4];
    for (int j = 0; j < 4; j++) v[j] = load(x + i + j * kLanes);
    for (int j = 0; j < 4; j++) store(y + i + j * kLanes, clamp_keep_nan(v[j], lo, hi));
  }
  for (; i + kLanes <= end; i += kLanes) store(y + i, clamp_keep_nan(load(x + i), lo, hi));
  if (i < end) {
    const int left = static_cast<int>(end - i);
    store_first(y + i, clamp_keep_nan(load_first(x + i, left), lo, hi), left);
  }
}

inline void clamp_f32_simd(const ClampF32Args& args, const Tile& tile) {
  const VecF lo = splat(args.lo), hi = splat(args.hi);
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    clamp_run(args.y + row * args.y_stride, args.x + row * args.x_stride, begin, end, lo, hi);
  });
}

}  // namespace
}  // namespace hone
