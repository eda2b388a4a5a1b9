#include <cmath>

#include "native/kernels/quantize_s8/quantize_s8.h"

namespace hone {

void quantize_s8_ref(const QuantizeS8Args& args, const Tile& tile) {
  for (int64_t item = tile.begin; item < tile.end; item++) {
    const int64_t outer = item / args.pixels, pixel = item % args.pixels;
    for (int64_t c = 0; c < args.channels; c++) {
      float v =
          args.x[outer * args.x_outer_stride + pixel * args.x_pixel_stride + c * args.x_channel_stride] /
          args.scale;
      v = v > args.range.lo ? v : args.range.lo;
      v = v < args.range.hi ? v : args.range.hi;
      const int32_t q = static_cast<int32_t>(std::nearbyintf(v)) + args.range.zero_point;
      args.y[outer * args.y_outer_stride + pixel * args.y_pixel_stride + c * args.y_channel_stride] =
          static_cast<int8_t>(q);
    }
  }
}

}  // namespace hone
