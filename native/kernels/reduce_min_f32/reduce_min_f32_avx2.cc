#include "native/kernels/reduce_min_f32/reduce_min_f32.h"
#include "native/kernels/reduce_simd.h"

namespace hone {

void reduce_min_f32_avx2(const ReduceMinF32Args& args, const Tile& tile) {
  reduce_simd(args, tile, [](auto a, auto b) { return minimum(a, b); });
}

}  // namespace hone
