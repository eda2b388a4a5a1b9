#pragma once
#include "native/kernels/simd.h"

// Sums of rows in 16 partials, as the headers of their kernels define them.
namespace hone {
namespace {

inline F32x16 splat_f32x16(float value) {
  F32x16 x;
  for (int j = 0; j < kParts; j++) x.v[j] = splat(value);
  return x;
}

/// Each partial with its own addend; `join` takes two registers.
template <typename Join>
inline void join_into(F32x16* partials, const F32x16& x, const Join& join) {
  for (int j = 0; j < kParts; j++) partials->v[j] = join(partials->v[j], x.v[j]);
}

/// The fixed tree 16 -> 8 -> 4 -> 2 -> 1 that joins partial j + half to partial j.
template <typename Join>
inline float join_partials(F32x16 x, const Join& join) {
  for (int half = kParts / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) x.v[j] = join(x.v[j], x.v[j + half]);
  float each[2 * kLanes] = {};
  for (int half = kLanes / 2; half > 0; half /= 2) {
    store(each, x.v[0]);
    x.v[0] = join(load(each), load(each + half));
  }
  store(each, x.v[0]);
  return each[0];
}

inline void add_into(F32x16* partials, const F32x16& x) {
  join_into(partials, x, [](VecF a, VecF b) { return add(a, b); });
}

inline float sum_partials(const F32x16& partials) {
  return join_partials(partials, [](VecF a, VecF b) { return add(a, b); });
}

}  // namespace
}  // namespace hone
