#include <bit>
#include <cmath>

#include "native/kernels/exp_f32.h"
#include "native/kernels/softmax_f32/softmax_f32.h"

namespace hone {
namespace {

float exp_f32(float x) {
  if (x < kExpLowest) return 0.0f;
  const float shifted = x * kLog2E + kExpShifter;
  const float n = shifted - kExpShifter;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = kExp6;
  p = p * r + kExp5;
  p = p * r + kExp4;
  p = p * r + kExp3;
  p = p * r + kExp2;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) << 23) + (127u << 23));
}

}  // namespace

void softmax_f32_ref(const SoftmaxF32Args& args, const Tile& tile) {
  for (int64_t row = tile.begin; row < tile.end; row++) {
    const float* x = args.x + row * args.length;
    float* y = args.y + row * args.length;
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
