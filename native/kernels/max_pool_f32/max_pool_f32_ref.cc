#include <cmath>

#include "native/kernels/max_pool_f32/max_pool_f32.h"

namespace hone {

void max_pool_f32_ref(const MaxPoolF32Args& args, const Tile& tile) {
  const WindowShape& w = args.window;
  for (int64_t row = tile.begin; row < tile.end; row++) {
    const int64_t image = row / w.out_h;
    for (int32_t out_x = 0; out_x < w.out_w; out_x++) {
      for (int32_t c = 0; c < args.channels; c++) {
        float m = -INFINITY;
        for (int32_t kh = 0; kh < w.kernel_h; kh++) {
          for (int32_t kw = 0; kw < w.kernel_w; kw++) {
            const int64_t in_y = row % w.out_h * w.stride_h - w.pad_top + kh * w.dilation_h;
            const int64_t in_x = out_x * w.stride_w - w.pad_left + kw * w.dilation_w;
            if (in_y < 0 || in_y >= w.in_h || in_x < 0 || in_x >= w.in_w) continue;
            const float x = args.x[((image * w.in_h + in_y) * w.in_w + in_x) * args.x_stride + c];
            m = x > m ? x : m;
          }
        }
        args.y[(row * w.out_w + out_x) * args.y_stride + c] = m;
      }
    }
  }
}

}  // namespace hone
