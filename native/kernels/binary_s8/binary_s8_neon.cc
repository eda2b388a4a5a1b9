#include "native/kernels/binary_s8/binary_s8_simd.h"

namespace hone {

void binary_s8_neon(const BinaryS8Args& args, const Tile& tile) { binary_s8_simd(args, tile); }

}  // namespace hone
