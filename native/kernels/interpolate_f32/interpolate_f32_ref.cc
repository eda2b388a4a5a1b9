#include <cmath>

#include "native/kernels/interpolate_f32/interpolate_f32.h"

namespace hone {

void interpolate_f32_ref(const InterpolateF32Args& args, const Tile& tile) {
  for (int64_t item = tile.begin; item < tile.end; item++) {
    const int64_t row = item / args.inner, column = item % args.inner;
    const int64_t first = row % args.outputs * args.taps;
    const float* x = args.x + row / args.outputs * args.x_outer_stride + column;
    float sum = args.weights[first] * x[args.index[first] * args.x_stride];
    for (int64_t t = first + 1; t < first + args.taps; t++)
      sum = std::fma(args.weights[t], x[args.index[t] * args.x_stride], sum);
    args.y[row * args.y_stride + column] = sum;
  }
}

}  // namespace hone
