#include "native/kernels/reduce_max_s8/reduce_max_s8.h"
#include "native/kernels/reduce_simd.h"

namespace hone {

void reduce_max_s8_avx2(const ReduceMaxS8Args& args, const Tile& tile) {
  reduce_simd(args, tile, [](auto a, auto b) { return maximum(a, b); });
}

}  // namespace hone
