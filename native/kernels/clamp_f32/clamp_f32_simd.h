#pragma once
#include "native/kernels/clamp_f32/clamp_f32.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

inline void clamp_f32_simd(const ClampF32Args& args, const Tile& tile) {
  const VecF lo = splat(args.lo), hi = splat(args.hi);
  int64_t i = tile.begin;
  for (; i + 4 * kLanes <= tile.end; i += 4 * kLanes) {
    VecF x[4];
    for (int j = 0; j < 4; j++) x[j] = load(args.x + i + j * kLanes);
    for (int j = 0; j < 4; j++) store(args.y + i + j * kLanes, clamp_keep_nan(x[j], lo, hi));
  }
  for (; i + kLanes <= tile.end; i += kLanes) store(args.y + i, clamp_keep_nan(load(args.x + i), lo, hi));
  if (i < tile.end) {
    const int left = static_cast<int>(tile.end - i);
    store_first(args.y + i, clamp_keep_nan(load_first(args.x + i, left), lo, hi), left);
  }
}

}  // namespace
}  // namespace hone
