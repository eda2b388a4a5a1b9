#include "native/kernels/binary_f32/binary_f32.h"
#include "native/kernels/binary_ref.h"

namespace hone {

void binary_f32_ref(const BinaryF32Args& args, const Tile& tile) {
  for (int64_t i = tile.begin; i < tile.end; i++) {
    const float a = args.a[i], b = args.b[i % args.b_count];
    float v = apply(args.operation, a, b);
    v = args.hi < v ? args.hi : v;
    v = args.lo > v ? args.lo : v;
    args.y[i] = v;
  }
}

}  // namespace hone
