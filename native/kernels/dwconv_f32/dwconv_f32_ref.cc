#include <cmath>

#include "native/kernels/dwconv_f32/dwconv_f32_rows.h"

namespace hone {

void dwconv_f32_ref(const DwconvF32Shape& shape, const DwconvF32Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const float* bias = static_cast<const float*>(args.packed);
  for (int64_t row = tile.begin; row < tile.end; row++) {
    const int64_t image = row / w.out_h;
    for (int32_t out_x = 0; out_x < w.out_w; out_x++) {
      for (int32_t c = 0; c < shape.channels; c++) {
        const float* weight = bias + shape.channels + c;
        float acc = bias[c];
        for (int32_t kh = 0; kh < w.kernel_h; kh++) {
          for (int32_t kw = 0; kw < w.kernel_w; kw++, weight += shape.channels) {
            const int64_t in_y = row % w.out_h * w.stride_h - w.pad_top + kh * w.dilation_h;
            const int64_t in_x = out_x * w.stride_w - w.pad_left + kw * w.dilation_w;
            const bool inside = in_y >= 0 && in_y < w.in_h && in_x >= 0 && in_x < w.in_w;
            const int64_t at = ((image * w.in_h + in_y) * w.in_w + in_x) * args.x_stride + c;
            acc = std::fma(inside ? args.x[at] : 0.0f, *weight, acc);
          }
        }
        acc = args.hi < acc ? args.hi : acc;
        acc = args.lo > acc ? args.lo : acc;
        args.y[(row * w.out_w + out_x) * args.y_stride + c] = acc;
      }
    }
  }
}

}  // namespace hone
