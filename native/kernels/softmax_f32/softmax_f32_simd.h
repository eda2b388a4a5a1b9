#pragma once
#include "native/kernels/simd.h"

#include "native/kernels/math_lanes.h"
#include "native/kernels/partials.h"
#include "native/kernels/softmax_f32/softmax_f32.h"

namespace hone {
namespace {

/// See exp_f32.h; x <= 0 or NaN.
inline VecF exp_below_zero(VecF x) {
  const ExpParts parts = split_exponent(x);
  const VecF y = multiply(exp_of_rest(parts.r), power_of_two(parts.shifted));
  return zero_below(x, splat(kExpLowest), y);
}

inline F32x16 exp_of_difference(F32x16 x, VecF m) {
  for (int i = 0; i < kParts; i++) x.v[i] = exp_below_zero(subtract(x.v[i], m));
  return x;
}

/// Largest of x; NaNs are skipped. The order of comparison can only change the sign of a zero, which exp(x -
/// m) drops.
inline float row_maximum(const float* x, int64_t length) {
  float m = -__builtin_inff();
  int64_t i = 0;
  if (length >= 16) {
    F32x16 lanes;
    for (int j = 0; j < kParts; j++) lanes.v[j] = splat(m);
    for (; i + 16 <= length; i += 16) {
      for (int j = 0; j < kParts; j++) lanes.v[j] = greater_or(load(x + i + j * kLanes), lanes.v[j]);
    }
    float each[16];
    store_f32x16(each, lanes);
    for (int j = 0; j < 16; j++) m = each[j] > m ? each[j] : m;
  }
  for (; i < length; i++) m = x[i] > m ? x[i] : m;
  return m;
}

inline void softmax_row(float* y, const float* x, int64_t length) {
  const VecF m = splat(row_maximum(x, length));
  F32x16 partials = splat_f32x16(0.0f);
  int64_t i = 0;
  for (; i + 16 <= length; i += 16) {
    const F32x16 e = exp_of_difference(load_f32x16(x + i), m);
    add_into(&partials, e);
    store_f32x16(y + i, e);
  }
  if (i < length) {
    // Lanes past the end hold -infinity: their exp is 0 (or NaN in a row that is NaN anyway), which changes
    // no partial.
    const int left = static_cast<int>(length - i);
    float tail[16];
    for (int j = 0; j < 16; j++) tail[j] = j < left ? x[i + j] : -__builtin_inff();
    const F32x16 e = exp_of_difference(load_f32x16(tail), m);
    add_into(&partials, e);
    store_f32x16_first(y + i, e, left);
  }
  const VecF sum = splat(sum_partials(partials));
  for (i = 0; i + kLanes <= length; i += kLanes) store(y + i, divide(load(y + i), sum));
  if (i < length) {
    const int left = static_cast<int>(length - i);
    store_first(y + i, divide(load_first(y + i, left), sum), left);
  }
}

inline void softmax_f32_simd(const SoftmaxF32Args& args, const Tile& tile) {
  for (int64_t row = tile.begin; row < tile.end; row++) {
    softmax_row(args.y + row * args.y_stride, args.x + row * args.x_stride, args.length);
  }
}

}  // namespace
}  // namespace hone
