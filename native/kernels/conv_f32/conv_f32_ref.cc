#include <cmath>

#include "native/kernels/conv_f32/conv_f32_rows.h"

namespace hone {

void conv_f32_ref(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const int32_t in_channels = shape.in_channels / shape.groups;
  const int32_t out_channels = shape.out_channels / shape.groups;
  const float* bias = static_cast<const float*>(args.packed);
  const float* weights = bias + shape.out_channels;
  for (int64_t pixel = tile.begin; pixel < tile.end; pixel++) {
    const int64_t image = pixel / w.out_w / w.out_h;
    const int64_t out_y = pixel / w.out_w % w.out_h, out_x = pixel % w.out_w;
    for (int32_t o = tile.block_begin; o < tile.block_end; o++) {
      const int32_t first_channel = o / out_channels * in_channels;
      const float* weight = weights + o * conv_f32_depth(shape);
      float acc = bias[o];
      for (int32_t kh = 0; kh < w.kernel_h; kh++) {
        for (int32_t kw = 0; kw < w.kernel_w; kw++) {
          const int64_t in_y = out_y * w.stride_h - w.pad_top + kh * w.dilation_h;
          const int64_t in_x = out_x * w.stride_w - w.pad_left + kw * w.dilation_w;
          const bool inside = in_y >= 0 && in_y < w.in_h && in_x >= 0 && in_x < w.in_w;
          const int64_t at = ((image * w.in_h + in_y) * w.in_w + in_x) * args.x_stride + first_channel;
          for (int32_t i = 0; i < in_channels; i++)
            acc = std::fma(inside ? args.x[at + i] : 0.0f, *weight++, acc);
        }
      }
      acc = args.hi < acc ? args.hi : acc;
      acc = args.lo > acc ? args.lo : acc;
      args.y[pixel * args.y_stride + o] = acc;
    }
  }
}

}  // namespace hone
