#include <cmath>
#include <cstdint>

#include "native/kernels/conv_s8/conv_s8_rows.h"

namespace hone {
namespace {

/// Packed form of ref: the weights as they are. bias, multiplier and zero points first, then the weights.
struct Packed {
  const int32_t* bias;
  const float* multiplier;
  const int32_t* zero_points;
  const int8_t* weights;
};

Packed unpack(const ConvS8Shape& shape, const void* packed) {
  const int32_t* bias = static_cast<const int32_t*>(packed);
  const float* multiplier = reinterpret_cast<const float*>(bias + shape.out_channels);
  const int32_t* zero_points = reinterpret_cast<const int32_t*>(multiplier + shape.out_channels);
  return {bias, multiplier, zero_points, reinterpret_cast<const int8_t*>(zero_points + shape.out_channels)};
}

/// Clamp in float, then round half to even; NaN gives lo.
int32_t round_clamped(float value, const OutputRange& range) {
  const float low = value > range.lo ? value : range.lo;
  const float clamped = low < range.hi ? low : range.hi;
  return static_cast<int32_t>(std::nearbyintf(clamped)) + range.zero_point;
}

}  // namespace

void conv_s8_ref(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const Packed packed = unpack(shape, args.packed);
  const int32_t in_channels = shape.in_channels / shape.groups;
  const int32_t out_channels = shape.out_channels / shape.groups;
  for (int64_t pixel = tile.begin; pixel < tile.end; pixel++) {
    const int64_t image = pixel / w.out_w / w.out_h;
    const int32_t out_y = static_cast<int32_t>(pixel / w.out_w % w.out_h);
    const int32_t out_x = static_cast<int32_t>(pixel % w.out_w);
    for (int32_t o = tile.block_begin; o < tile.block_end; o++) {
      const int32_t first_channel = o / out_channels * in_channels;
      uint32_t acc = static_cast<uint32_t>(packed.bias[o]);
      for (int32_t kh = 0; kh < w.kernel_h; kh++) {
        for (int32_t kw = 0; kw < w.kernel_w; kw++) {
          const int32_t in_y = out_y * w.stride_h - w.pad_top + kh * w.dilation_h;
          const int32_t in_x = out_x * w.stride_w - w.pad_left + kw * w.dilation_w;
          if (in_y < 0 || in_y >= w.in_h || in_x < 0 || in_x >= w.in_w) continue;
          const int8_t* x =
              args.x + ((image * w.in_h + in_y) * w.in_w + in_x) * args.x_stride + first_channel;
          const int8_t* weights =
              packed.weights + ((static_cast<int64_t>(o) * w.kernel_h + kh) * w.kernel_w + kw) * in_channels;
          for (int32_t i = 0; i < in_channels; i++) {
            acc += static_cast<uint32_t>((x[i] - args.x_zero_point) * (weights[i] - packed.zero_points[o]));
          }
        }
      }
      const float value = static_cast<float>(static_cast<int32_t>(acc)) * packed.multiplier[o];
      int32_t y = round_clamped(value, args.conv_range);
      if (args.residual != nullptr) {
        const int32_t b = args.residual[pixel * args.residual_stride + o];
        const float fa = static_cast<float>(y - args.add.a_zero_point) * args.add.a_scale;
        const float fb = static_cast<float>(b - args.add.b_zero_point) * args.add.b_scale;
        const float sum = fa + fb;
        y = round_clamped(sum / args.add.out_scale, args.add_range);
      }
      args.y[pixel * args.y_stride + o] = static_cast<int8_t>(y);
    }
  }
}

}  // namespace hone
