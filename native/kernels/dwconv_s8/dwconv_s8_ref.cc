#include <cmath>
#include <cstdint>

#include "native/kernels/dwconv_s8/dwconv_s8_rows.h"

namespace hone {

/// Packed form of ref: bias, multiplier, zero points as int32, weights as they are.
void dwconv_s8_ref(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const int32_t* bias = static_cast<const int32_t*>(args.packed);
  const float* multiplier = reinterpret_cast<const float*>(bias + shape.channels);
  const int32_t* zero_points = reinterpret_cast<const int32_t*>(multiplier + shape.channels);
  const int8_t* weights = reinterpret_cast<const int8_t*>(zero_points + shape.channels);
  for (int64_t row = tile.begin; row < tile.end; row++) {
    const int64_t image = row / w.out_h;
    const int32_t out_y = static_cast<int32_t>(row % w.out_h);
    for (int32_t out_x = 0; out_x < w.out_w; out_x++) {
      for (int32_t c = 0; c < shape.channels; c++) {
        uint32_t acc = static_cast<uint32_t>(bias[c]);
        for (int32_t kh = 0; kh < w.kernel_h; kh++) {
          for (int32_t kw = 0; kw < w.kernel_w; kw++) {
            const int32_t in_y = out_y * w.stride_h - w.pad_top + kh * w.dilation_h;
            const int32_t in_x = out_x * w.stride_w - w.pad_left + kw * w.dilation_w;
            if (in_y < 0 || in_y >= w.in_h || in_x < 0 || in_x >= w.in_w) continue;
            const int32_t x = args.x[((image * w.in_h + in_y) * w.in_w + in_x) * args.x_stride + c];
            const int32_t weight = weights[(static_cast<int64_t>(kh) * w.kernel_w + kw) * shape.channels + c];
            acc += static_cast<uint32_t>((x - args.x_zero_point) * (weight - zero_points[c]));
          }
        }
        const float value = static_cast<float>(static_cast<int32_t>(acc)) * multiplier[c];
        const float low = value > args.range.lo ? value : args.range.lo;  // NaN gives lo
        const float clamped = low < args.range.hi ? low : args.range.hi;
        const int32_t y = static_cast<int32_t>(std::nearbyintf(clamped)) + args.range.zero_point;
        args.y[(row * w.out_w + out_x) * args.y_stride + c] = static_cast<int8_t>(y);
      }
    }
  }
}

}  // namespace hone
