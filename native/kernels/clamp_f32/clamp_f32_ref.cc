#include "native/kernels/clamp_f32/clamp_f32.h"
#include "native/kernels/row_parts.h"

namespace hone {

void clamp_f32_ref(const ClampF32Args& args, const Tile& tile) {
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    const float* x = args.x + row * args.x_stride;
    float* y = args.y + row * args.y_stride;
    for (int64_t i = begin; i < end; i++) {
      float v = x[i];
      v = args.hi < v ? args.hi : v;
      v = args.lo > v ? args.lo : v;
      y[i] = v;
    }
  });
}

}  // namespace hone
