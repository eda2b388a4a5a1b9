#include <cmath>

#include "native/kernels/fc_coded_s8/fc_coded_s8_rows.h"

namespace hone {

/// Packed form of ref: zero point of x, bias, multiplier, decoded weights.
void fc_coded_s8_ref(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile) {
  const int32_t x_zero_point = *static_cast<const int32_t*>(args.packed);
  const int32_t* bias = static_cast<const int32_t*>(args.packed) + 1;
  const float* multiplier = reinterpret_cast<const float*>(bias + shape.outputs);
  const int8_t* weights = reinterpret_cast<const int8_t*>(multiplier + shape.outputs);
  for (int64_t m = tile.begin; m < tile.end; m++) {
    const int8_t* x = args.x + m * args.x_stride;
    for (int32_t n = tile.block_begin; n < tile.block_end; n++) {
      const int8_t* w = weights + static_cast<int64_t>(n) * shape.inputs;
      uint32_t acc = static_cast<uint32_t>(bias[n]);
      for (int32_t k = 0; k < shape.inputs; k++) acc += static_cast<uint32_t>((x[k] - x_zero_point) * w[k]);
      const float value = static_cast<float>(static_cast<int32_t>(acc)) * multiplier[n];
      const float low = value > args.range.lo ? value : args.range.lo;  // NaN gives lo
      const float clamped = low < args.range.hi ? low : args.range.hi;
      const int32_t y = static_cast<int32_t>(std::nearbyintf(clamped)) + args.range.zero_point;
      args.y[m * args.y_stride + n] = static_cast<int8_t>(y);
    }
  }
}

}  // namespace hone
