#include <cmath>

#include "native/kernels/fc_coded_f32/fc_coded_f32_rows.h"

namespace hone {

void fc_coded_f32_ref(const FcCodedF32Shape& shape, const FcCodedF32Args& args, const Tile& tile) {
  const float* bias = static_cast<const float*>(args.packed);
  const float* weights = bias + shape.outputs;
  for (int64_t row = tile.begin; row < tile.end; row++) {
    for (int32_t n = tile.block_begin; n < tile.block_end; n++) {
      float acc = bias[n];
      for (int64_t k = 0; k < shape.inputs; k++) {
        acc = std::fma(args.x[row * args.x_stride + k], weights[static_cast<int64_t>(n) * shape.inputs + k],
                       acc);
      }
      acc = args.hi < acc ? args.hi : acc;
      acc = args.lo > acc ? args.lo : acc;
      args.y[row * args.y_stride + n] = acc;
    }
  }
}

}  // namespace hone
