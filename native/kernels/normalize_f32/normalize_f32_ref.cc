#include "native/kernels/normalize_f32/normalize_f32.h"

namespace hone {
namespace {

/// Sum of of(x) over the columns and rows of a group that begins at x.
template <typename Of>
float sum_group(const float* x, const NormalizeF32Args& args, const Of& of) {
  float totals[16] = {}, partials[16] = {};
  for (int64_t w = 0; w < args.width; w++) {
    float column = 0;
    for (int64_t begin = 0; begin < args.length; begin += kNormalizeBlock) {
      float partial = 0;
      for (int64_t i = begin; i < begin + kNormalizeBlock && i < args.length; i++)
        partial += of(x[i * args.x_stride + w]);
      column += partial;
    }
    if (w % (16 * kNormalizeBlock) == 0)
      for (float& partial : partials) partial = 0;
    partials[w % 16] += column;
    if ((w + 1) % (16 * kNormalizeBlock) == 0 || w + 1 == args.width)
      for (int j = 0; j < 16; j++) totals[j] += partials[j];
  }
  for (int half = 8; half > 0; half /= 2)
    for (int j = 0; j < half; j++) totals[j] += totals[j + half];
  return totals[0];
}

}  // namespace

void normalize_f32_ref(const NormalizeF32Args& args, const Tile& tile) {
  const auto count = static_cast<float>(args.length * args.width);
  for (int64_t item = tile.begin; item < tile.end; item++) {
    const int64_t outer = item / args.groups, channel = item % args.groups * args.width;
    const float* x = args.x + outer * args.length * args.x_stride + channel;
    float* y = args.y + outer * args.length * args.y_stride + channel;
    const float mean = args.centered ? sum_group(x, args, [](float v) { return v; }) / count : 0.0f;
    const float squares = sum_group(x, args, [mean](float v) { return (v - mean) * (v - mean); });
    const float factor = 1.0f / __builtin_sqrtf(squares / count + args.epsilon);
    for (int64_t i = 0; i < args.length; i++) {
      for (int64_t w = 0; w < args.width; w++) {
        float v = (x[i * args.x_stride + w] - mean) * factor;
        if (args.scale != nullptr) v *= args.scale[channel + w];
        if (args.bias != nullptr) v += args.bias[channel + w];
        y[i * args.y_stride + w] = v;
      }
    }
  }
}

}  // namespace hone
