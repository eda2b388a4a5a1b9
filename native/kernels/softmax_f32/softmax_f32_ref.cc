#include <cmath>

#include "native/kernels/exp_f32.h"
#include "native/kernels/softmax_f32/softmax_f32.h"

namespace hone {

void softmax_f32_ref(const SoftmaxF32Args& args, const Tile& tile) {
  for (int64_t row = tile.begin; row < tile.end; row++) {
    const float* x = args.x + row * args.x_stride;
    float* y = args.y + row * args.y_stride;
    float m = -INFINITY;
    for (int64_t i = 0; i < args.length; i++) m = x[i] > m ? x[i] : m;
    float partials[16] = {};
    for (int64_t i = 0; i < args.length; i++) {
      y[i] = exp_f32(x[i] - m);
      partials[i % 16] += y[i];
    }
    for (int half = 8; half > 0; half /= 2) {
      for (int j = 0; j < half; j++) partials[j] += partials[j + half];
    }
    for (int64_t i = 0; i < args.length; i++) y[i] /= partials[0];
  }
}

}  // namespace hone
