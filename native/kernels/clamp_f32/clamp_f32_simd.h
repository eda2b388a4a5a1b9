#pragma once
#include "native/kernels/clamp_f32/clamp_f32.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

inline void clamp_f32_simd(const ClampF32Args& args, const Tile& tile) {
  const VecF lo = splat(args.lo), hi = splat(args.hi);
  // Copies: as far as the compiler knows, a vector store may change args.
  float* const y = args.y;
  const float* const x = args.x;
  const int64_t end = tile.end;
  int64_t i = tile.begin;
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

}  // namespace
}  // namespace hone
