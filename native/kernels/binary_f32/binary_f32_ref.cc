#include "native/kernels/binary_f32/binary_f32.h"
#include "native/kernels/binary_ref.h"
#include "native/kernels/binary_rows.h"

namespace hone {

void binary_f32_ref(const BinaryF32Args& args, const Tile& tile) {
  const auto combine = [&](float* y, const float* a, const float* b, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
      float v = apply(args.operation, a[i], b[i]);
      v = args.hi < v ? args.hi : v;
      v = args.lo > v ? args.lo : v;
      y[i] = v;
    }
  };
  for_each_binary_run(args, args.b, args.b_count, tile, combine);
}

}  // namespace hone
