#include "native/kernels/average_pool_s8/average_pool_s8_simd.h"

namespace hone {

void average_pool_s8_neon(const AveragePoolS8Args& args, const Tile& tile) {
  average_pool_s8_simd(args, tile);
}

}  // namespace hone
