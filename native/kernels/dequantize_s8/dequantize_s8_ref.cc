#include "native/kernels/dequantize_s8/dequantize_s8.h"

namespace hone {

void dequantize_s8_ref(const DequantizeS8Args& args, const Tile& tile) {
  for (int64_t item = tile.begin; item < tile.end; item++) {
    const int64_t outer = item / args.pixels, pixel = item % args.pixels;
    for (int64_t c = 0; c < args.channels; c++) {
      const int32_t x =
          args.x[outer * args.x_outer_stride + pixel * args.x_pixel_stride + c * args.x_channel_stride];
      args.y[outer * args.y_outer_stride + pixel * args.y_pixel_stride + c * args.y_channel_stride] =
          static_cast<float>(x - args.zero_point) * args.scale;
    }
  }
}

}  // namespace hone
