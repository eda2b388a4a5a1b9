#pragma once
#include "native/kernels/interpolate_f32/interpolate_f32.h"
#include "native/kernels/row_parts.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// What one row of y is mixed of.
struct Mixture {
  const float* weights;
  const int32_t* index;
  int64_t taps;
  ptrdiff_t stride;
};

/// Columns of kVectors registers.
template <int kVectors>
inline void mix_columns(float* y, const float* x, const Mixture& mix) {
  VecF sum[kVectors];
  const VecF weight = splat(mix.weights[0]);
  const float* from = x + mix.index[0] * mix.stride;
  for (int j = 0; j < kVectors; j++) sum[j] = multiply(weight, load(from + j * kLanes));
  for (int64_t t = 1; t < mix.taps; t++) {
    const VecF next = splat(mix.weights[t]);
    from = x + mix.index[t] * mix.stride;
    for (int j = 0; j < kVectors; j++) sum[j] = fused_multiply_add(next, load(from + j * kLanes), sum[j]);
  }
  for (int j = 0; j < kVectors; j++) store(y + j * kLanes, sum[j]);
}

/// Fewer columns than a register has.
inline void mix_few_columns(float* y, const float* x, const Mixture& mix, int count) {
  VecF sum = multiply(splat(mix.weights[0]), load_first(x + mix.index[0] * mix.stride, count));
  for (int64_t t = 1; t < mix.taps; t++)
    sum = fused_multiply_add(splat(mix.weights[t]), load_first(x + mix.index[t] * mix.stride, count), sum);
  store_first(y, sum, count);
}

inline void mix_run(float* y, const float* x, const Mixture& mix, int64_t count) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= count; c += 4 * kLanes) mix_columns<4>(y + c, x + c, mix);
  for (; c + kLanes <= count; c += kLanes) mix_columns<1>(y + c, x + c, mix);
  if (c == count) return;
  // A whole register once more over the end costs less than a part of one.
  if (count >= kLanes) return mix_columns<1>(y + count - kLanes, x + count - kLanes, mix);
  mix_few_columns(y, x, mix, static_cast<int>(count));
}

inline void interpolate_simd(const InterpolateF32Args& args, const Tile& tile) {
  for_each_row_part(tile, args.inner, [&](int64_t row, int64_t begin, int64_t end) {
    const int64_t first = row % args.outputs * args.taps;
    const float* x = args.x + row / args.outputs * args.x_outer_stride;
    const Mixture mix = {args.weights + first, args.index + first, args.taps, args.x_stride};
    float* y = args.y + row * args.y_stride;
    if (args.inner == 1) {
      float sum = mix.weights[0] * x[mix.index[0] * mix.stride];
      for (int64_t t = 1; t < mix.taps; t++)
        sum = __builtin_fmaf(mix.weights[t], x[mix.index[t] * mix.stride], sum);
      *y = sum;
    } else {
      mix_run(y + begin, x + begin, mix, end - begin);
    }
  });
}

}  // namespace
}  // namespace hone
