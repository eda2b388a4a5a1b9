#include <cmath>

#include "native/kernels/simd_scalar.h"

#include "native/kernels/recurrent_f32/recurrent_f32_lanes.h"

namespace hone {

void unary_f32_ref(const UnaryF32Args& args, const Tile& tile);

void recurrent_f32_ref(const RecurrentF32Shape& shape, const RecurrentF32Args& args, const Tile& tile) {
  const int32_t hidden = shape.hidden, at_once = recurrent_first_columns(shape);
  run_recurrent(shape, args, tile, unary_f32_ref,
                [&](float* y, ptrdiff_t y_stride, const float* h, ptrdiff_t h_stride, int rows,
                    int32_t direction, int part) {
                  const int32_t columns = part == 0 ? at_once : recurrent_columns(shape) - at_once;
                  const int32_t first = direction * recurrent_columns(shape) + (part == 0 ? 0 : at_once);
                  const float* weights =
                      static_cast<const float*>(args.packed) + static_cast<ptrdiff_t>(first) * hidden;
                  for (int row = 0; row < rows; row++) {
                    for (int32_t c = 0; c < columns; c++) {
                      float sum = y[row * y_stride + c];
                      for (int32_t k = 0; k < hidden; k++)
                        sum = std::fma(h[row * h_stride + k], weights[static_cast<ptrdiff_t>(c) * hidden + k],
                                       sum);
                      y[row * y_stride + c] = sum;
                    }
                  }
                });
}

}  // namespace hone
