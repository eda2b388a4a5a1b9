#include "native/kernels/average_pool_f32/average_pool_f32_simd.h"

namespace hone {

void average_pool_f32_avx2(const AveragePoolF32Args& args, const Tile& tile) {
  average_pool_f32_simd(args, tile);
}

}  // namespace hone
