#include "native/kernels/max_pool_f32/max_pool_f32_simd.h"

namespace hone {

void max_pool_f32_avx2(const MaxPoolF32Args& args, const Tile& tile) { max_pool_f32_simd(args, tile); }

}  // namespace hone
