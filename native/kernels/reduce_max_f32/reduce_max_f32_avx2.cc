#include "native/kernels/reduce_max_f32/reduce_max_f32.h"
#include "native/kernels/reduce_simd.h"

namespace hone {

void reduce_max_f32_avx2(const ReduceMaxF32Args& args, const Tile& tile) {
  reduce_simd(args, tile, [](auto a, auto b) { return maximum(a, b); });
}

}  // namespace hone
