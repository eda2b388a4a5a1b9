#include "native/kernels/reduce_min_s8/reduce_min_s8.h"
#include "native/kernels/reduce_simd.h"

namespace hone {

void reduce_min_s8_neon(const ReduceMinS8Args& args, const Tile& tile) {
  reduce_simd(args, tile, [](auto a, auto b) { return minimum(a, b); });
}

}  // namespace hone
