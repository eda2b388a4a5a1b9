#include "native/kernels/clamp_f32/clamp_f32.h"

namespace hone {

void clamp_f32_ref(const ClampF32Args& args, const Tile& tile) {
  for (int64_t i = tile.begin; i < tile.end; i++) {
    float v = args.x[i];
    v = args.hi < v ? args.hi : v;
    v = args.lo > v ? args.lo : v;
    args.y[i] = v;
  }
}

}  // namespace hone
