#include "native/kernels/max_pool_s8/max_pool_s8_simd.h"

namespace hone {

void max_pool_s8_avx2(const MaxPoolS8Args& args, const Tile& tile) { max_pool_s8_simd(args, tile); }

}  // namespace hone
